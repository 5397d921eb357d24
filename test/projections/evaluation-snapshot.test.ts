import * as fc from 'fast-check';
import { test } from 'tap';
import {
  isSegmentEntry,
  isSegmentPart,
  type Ruleset,
  type RulesetChange,
  type SegmentDefinition,
  segmentEntry,
} from '../../src/domain/evaluation/ruleset.js';
import {
  editedSegment,
  restoredSegment,
  type SegmentHead,
} from '../../src/domain/evaluation/stored-segment.js';
import { canonicalJson } from '../../src/domain/json.js';
import { type SegmentEvent } from '../../src/domain/segment.js';
import {
  evaluationSnapshot,
  type SnapshotDelta,
} from '../../src/projections/evaluation-snapshot.js';
import { type LogEvent } from '../../src/projections/event-log.js';
import { foldEvents } from '../../src/projections/fold/fold.js';
import {
  environmentAdded,
  flagContent,
  onFlag,
  onProject,
  onSegment,
  PROJECT_ID,
  projectBegins,
  recorded,
  segmentContent,
} from '../support/histories.js';
import { snapshotLogs } from '../support/snapshot-histories.js';

const empty = {
  position: null,
  recordedAt: null,
  applied: null,
  projects: [],
  flags: [],
  segments: [],
};
const production = `${PROJECT_ID}:production`;
const development = `${PROJECT_ID}:development`;

const follow = (log: readonly LogEvent[]) => {
  const snapshot = evaluationSnapshot(empty);
  const apply = (events: readonly LogEvent[]): SnapshotDelta =>
    snapshot.apply(foldEvents(events, snapshot.lookUp, null).steps);
  return { snapshot, first: apply(log), apply };
};

const begun = recorded([
  ...projectBegins,
  onFlag('alpha', { type: 'FlagCreated', data: flagContent('alpha') }),
  onFlag('beta', { type: 'FlagCreated', data: flagContent('beta') }),
  onFlag('beta', { type: 'FlagDeleted', data: {} }),
  onFlag('alpha', { type: 'FlagEnabled', data: { environment: 'production' } }),
  onFlag('alpha', { type: 'FlagDeleted', data: {} }),
  onProject({ type: 'EnvironmentDeleted', data: { environment: 'production' } }),
  onProject({ type: 'EnvironmentRestored', data: { environment: 'production' } }),
  onProject({ type: 'ProjectDeleted', data: {} }),
  onProject(environmentAdded('staging')),
  onProject({ type: 'ProjectRestored', data: {} }),
]);

test('new environments are loaded whole, with all flags that are not deleted', async (t) => {
  const { snapshot, first } = follow(begun.slice(0, 6));
  t.same(first.changes, [
    { environment: development, reload: true },
    { environment: production, reload: true },
  ]);
  t.strictSame([...(snapshot.contents().get(production)?.keys() ?? [])], ['alpha']);
});

test('a very long segment is read from its entry, not told in the stream of changes', async (t) => {
  const included = Array.from({ length: 20_000 }, (_, nth) => `a-member-${nth}`);
  const log = recorded([
    ...projectBegins,
    onSegment('staff', { type: 'SegmentCreated', data: segmentContent('staff') }),
    onSegment('staff', { type: 'SegmentKeysAdded', data: { included, excluded: [] } }),
  ]);
  const { apply } = follow(log.slice(0, -1));
  const { changes, writes } = apply(log.slice(-1));
  t.strictSame(changes, [
    { environment: development, reload: true },
    { environment: production, reload: true },
  ]);
  for (const write of writes) {
    if (!('entries' in write)) throw new Error('Its entries are written.');
    t.match(write.entries.get(segmentEntry('staff')), /"parts":256/);
    t.equal(write.entries.size, 257);
    t.strictSame(keysIn(write.entries).toSorted(), included.toSorted());
  }
});

const keysIn = (entries: ReadonlyMap<string, string | null>): readonly string[] =>
  [...entries.values()].flatMap((json) => (JSON.parse(json ?? '{}') as SegmentDefinition).included);

test('an edit of one key writes and tells as much of a long segment as of a very long one', async (t) => {
  const sizeOf = (count: number): readonly [written: number, told: number, entries: number] => {
    const included = Array.from({ length: count }, (_, nth) => `member-${nth}`);
    const content = { ...segmentContent('staff'), included };
    const log = recorded([
      ...projectBegins,
      onSegment('staff', { type: 'SegmentCreated', data: content }),
      onSegment('staff', { type: 'SegmentKeysAdded', data: { included: ['x'], excluded: ['y'] } }),
      onSegment('staff', {
        type: 'SegmentKeysRemoved',
        data: { included: ['member-7'], excluded: [] },
      }),
    ]);
    const { apply } = follow(log.slice(0, -2));
    const { changes, writes } = apply(log.slice(-2));
    t.match(changes, [
      {
        edit: { added: { included: ['x'], excluded: ['y'] }, removed: { included: ['member-7'] } },
      },
      { edit: { definition: { included: [] } } },
    ]);
    const entries = writes.flatMap((write) => ('entries' in write ? [...write.entries] : []));
    const written = entries.reduce((sum, [, json]) => sum + (json?.length ?? 0), 0);
    return [written, JSON.stringify(changes).length, entries.length];
  };
  const [long, veryLong] = [sizeOf(1_000), sizeOf(64_000)];
  t.ok(veryLong[0] < 2 * long[0], `${veryLong[0]} and ${long[0]} characters are written`);
  t.ok(veryLong[1] < 1.1 * long[1], `${veryLong[1]} and ${long[1]} characters are told`);
  t.ok(veryLong[2] <= 8);
});

test('a change of a flag reaches every environment; a deletion removes it', async (t) => {
  const { apply } = follow(begun.slice(0, 6));
  const enabled = apply(begun.slice(6, 7)).changes;
  t.match(enabled, [
    { environment: development, flag: 'alpha', ruleset: { configuration: { enabled: false } } },
    { environment: production, flag: 'alpha', ruleset: { configuration: { enabled: true } } },
  ]);
  t.match(enabled, [{ ruleset: { revision: 1, position: begun[6]!.position } }, {}]);
  t.match(apply(begun.slice(7, 8)).changes, [
    { environment: development, flag: 'alpha', ruleset: null },
    { environment: production, flag: 'alpha', ruleset: null },
  ]);
});

test('a segment reaches every environment, and leaves with its deletion', async (t) => {
  const { snapshot, apply } = follow(begun.slice(0, 6));
  const log = recorded([
    ...Array.from({ length: 6 }, () => onProject({ type: 'ProjectRestored', data: {} })),
    onSegment('testers', {
      type: 'SegmentCreated',
      data: { ...segmentContent('testers'), included: ['anna'] },
    }),
    onSegment('testers', { type: 'SegmentDeleted', data: {} }),
  ]);
  t.match(apply(log.slice(6, 7)).changes, [
    { environment: development, segment: 'testers', definition: { included: ['anna'] } },
    { environment: production, segment: 'testers', definition: { revision: 0 } },
  ]);
  t.strictSame(
    [...(snapshot.contents().get(production)?.keys() ?? [])],
    ['alpha', segmentEntry('testers')],
  );
  t.match(apply(log.slice(7)).changes, [{ definition: null }, { definition: null }]);
  t.strictSame([...(snapshot.contents().get(production)?.keys() ?? [])], ['alpha']);
});

test('deleted environments vanish and come back', async (t) => {
  const { snapshot, apply } = follow(begun.slice(0, 8));
  t.same(apply(begun.slice(8, 9)), {
    changes: [{ environment: production, reload: true }],
    writes: [{ environment: production, fill: null }],
  });
  t.notOk(snapshot.contents().has(production));
  t.match(apply(begun.slice(9, 10)).writes, [{ environment: production, fill: new Map() }]);
  t.equal(apply(begun.slice(10, 12)).changes.length, 2);
  t.equal(snapshot.contents().size, 0, 'a deleted project has no environment');
  t.equal(apply(begun.slice(12)).changes.length, 3);
});

type Held = Map<string, Map<string, string>>;

const put = (rulesets: Map<string, string> | undefined, key: string, json: string | null) => {
  if (json === null) rulesets?.delete(key);
  else rulesets?.set(key, json);
};

/** What Redis does with writes. */
const store = (held: Held, { writes }: SnapshotDelta): void => {
  for (const write of writes) {
    const id = write.environment;
    if ('entries' in write) for (const [key, json] of write.entries) put(held.get(id), key, json);
    else if (write.fill === null) held.delete(id);
    else held.set(id, new Map(write.fill));
  }
};

const textOf = (value: Ruleset | SegmentDefinition): string =>
  canonicalJson(
    'included' in value
      ? { ...value, included: value.included.toSorted(), excluded: value.excluded.toSorted() }
      : value,
  );

/** Flags and segments put together from their entries. */
const whole = (entries: ReadonlyMap<string, string> = new Map()): Map<string, string> =>
  new Map(
    [...entries]
      .filter(([name]) => !isSegmentPart(name))
      .map(([name, json]) => [
        name,
        isSegmentEntry(name)
          ? textOf(
              restoredSegment(
                JSON.parse(json) as SegmentHead,
                (part) => JSON.parse(entries.get(part) ?? '') as SegmentDefinition,
              ),
            )
          : json,
      ]),
  );

/** The name of what changed, and what it is now. */
const resultOf = (
  change: Exclude<RulesetChange, { reload: true }>,
  told: ReadonlyMap<string, string> | undefined,
): readonly [name: string, value: Ruleset | SegmentDefinition | null] => {
  if ('flag' in change) return [change.flag, change.ruleset];
  const name = segmentEntry(change.segment);
  if ('definition' in change) return [name, change.definition];
  const before = JSON.parse(told?.get(name) ?? 'null') as SegmentDefinition | null;
  const after = editedSegment(before, change.edit);
  if (after === undefined) throw new Error('An edit of another revision.');
  return [name, after];
};

/** What a reader of the change stream does, which loads an environment from `held`. */
const read = (told: Held, held: Held, { changes }: SnapshotDelta): void => {
  for (const change of changes) {
    const id = change.environment;
    if ('reload' in change) told.set(id, whole(held.get(id)));
    else {
      const [name, value] = resultOf(change, told.get(id));
      put(told.get(id), name, value && textOf(value));
    }
  }
};

const sorted = (held: ReadonlyMap<string, ReadonlyMap<string, string>>) =>
  [...held].map(([id, rulesets]) => [id, [...rulesets].toSorted()]).toSorted();

const added = (included: readonly string[], excluded: readonly string[] = []): SegmentEvent => ({
  type: 'SegmentKeysAdded',
  data: { included, excluded },
});
const removed = (included: readonly string[], excluded: readonly string[]): SegmentEvent => ({
  type: 'SegmentKeysRemoved',
  data: { included, excluded },
});

const moves = fc.array(
  fc.record({
    comes: fc.boolean(),
    isIncluded: fc.boolean(),
    from: fc.nat(400),
    count: fc.constantFrom(1, 1, 2, 3, 150),
  }),
  { minLength: 1, maxLength: 25 },
);

/** A segment whose lists are now in its own entry, now in some parts or more of them. */
const longSegmentLogs = moves.map((all) => {
  const begun = Array.from({ length: 150 }, (_, nth) => `key-${nth}`);
  const [included, excluded] = [new Set(begun), new Set<string>()];
  const events = all.map(({ comes, isIncluded, from, count }): SegmentEvent => {
    const keys = Array.from({ length: count }, (_, nth) => `key-${from + nth}`);
    const list = isIncluded ? included : excluded;
    if (!comes) {
      const gone = keys.filter((key) => list.delete(key));
      return isIncluded ? removed(gone, []) : removed([], gone);
    }
    const came = keys.filter((key) => !included.has(key) && !excluded.has(key));
    for (const key of came) list.add(key);
    return isIncluded ? added(came) : added([], came);
  });
  const content = { ...segmentContent('staff'), included: begun };
  const created: SegmentEvent = { type: 'SegmentCreated', data: content };
  return recorded([
    ...projectBegins,
    ...[created, ...events].map((one) => onSegment('staff', one)),
  ]);
});

const histories = fc.oneof(snapshotLogs(), longSegmentLogs);

test('what is written and told adds up to what the states say, whatever the batches', async (t) => {
  const seed = Number(process.env['FAST_CHECK_SEED'] ?? 20_261_121);
  t.comment(`seed ${seed}`);
  let edits = 0;
  fc.assert(
    fc.property(histories, fc.integer({ min: 1, max: 9 }), (log, size) => {
      const { snapshot, apply } = follow([]);
      const held: Held = new Map();
      const told: Held = new Map();
      for (let at = 0; at < log.length; at += size) {
        const delta = apply(log.slice(at, at + size));
        edits += delta.changes.filter((change) => 'edit' in change).length;
        store(held, delta);
        read(told, held, delta);
      }
      const contents = snapshot.contents();
      const wholes = new Map([...contents].map(([id, entries]) => [id, whole(entries)]));
      t.strictSame(sorted(held), sorted(contents));
      t.strictSame(
        sorted(told).filter(([, rulesets]) => rulesets!.length > 0),
        sorted(wholes).filter(([, rulesets]) => rulesets!.length > 0),
      );
    }),
    { seed, numRuns: 100 },
  );
  t.ok(edits > 20, `${edits} edits of long segments`);
});

import * as fc from 'fast-check';
import { test } from 'tap';
import { segmentEntry } from '../../src/domain/evaluation/ruleset.js';
import { canonicalJson } from '../../src/domain/json.js';
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
  t.match(writes, [
    { environment: development, entries: new Map([[segmentEntry('staff'), /a-member-19999/]]) },
    { environment: production, entries: new Map([[segmentEntry('staff'), /a-member-19999/]]) },
  ]);
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

/** What a reader of the change stream does, which loads an environment from `held`. */
const read = (told: Held, held: Held, { changes }: SnapshotDelta): void => {
  for (const change of changes) {
    const id = change.environment;
    if ('reload' in change) {
      told.set(id, new Map(held.get(id)));
      continue;
    }
    const [name, value] =
      'segment' in change
        ? [segmentEntry(change.segment), change.definition]
        : [change.flag, change.ruleset];
    put(told.get(id), name, value && canonicalJson(value));
  }
};

const sorted = (held: ReadonlyMap<string, ReadonlyMap<string, string>>) =>
  [...held].map(([id, rulesets]) => [id, [...rulesets].toSorted()]).toSorted();

test('what is written and told adds up to what the states say, whatever the batches', async (t) => {
  const seed = Number(process.env['FAST_CHECK_SEED'] ?? 20_261_121);
  t.comment(`seed ${seed}`);
  fc.assert(
    fc.property(snapshotLogs(), fc.integer({ min: 1, max: 9 }), (log, size) => {
      const { snapshot, apply } = follow([]);
      const held: Held = new Map();
      const told: Held = new Map();
      for (let at = 0; at < log.length; at += size) {
        const delta = apply(log.slice(at, at + size));
        store(held, delta);
        read(told, held, delta);
      }
      const contents = snapshot.contents();
      t.strictSame(sorted(held), sorted(contents));
      t.strictSame(
        sorted(told).filter(([, rulesets]) => rulesets!.length > 0),
        sorted(contents).filter(([, rulesets]) => rulesets!.length > 0),
      );
    }),
    { seed, numRuns: 100 },
  );
});

import { test } from 'tap';
import { boundedSegmentEvents } from '../../src/commands/segment/keys.js';
import { canonicalJson as canonical, type Json } from '../../src/domain/json.js';
import {
  absentSegment,
  evolveSegment,
  type Segment,
  type SegmentEvent,
} from '../../src/domain/segment.js';
import { segmentHistory } from '../../src/queries/entities/entity-history.js';
import { listSegments } from '../../src/queries/entities/list-segments.js';
import { loadCurrentStates } from '../../src/queries/evaluation/current-states.js';
import { heldEntity } from '../../src/queries/log/log-source.js';
import { applyBatches } from '../support/applied-rows.js';
import { testDatabase } from '../support/database.js';
import {
  onSegment,
  ORGANIZATION,
  projectBegins,
  recorded,
  segmentContent,
  skipping,
} from '../support/histories.js';

const keys = (name: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, nth) => `${name}-${nth}`);

const content = { ...segmentContent('staff'), included: keys('a', 300), excluded: ['x'] };

const added = (included: readonly string[], excluded: readonly string[] = []): SegmentEvent => ({
  type: 'SegmentKeysAdded',
  data: { included, excluded },
});
const removed = (included: readonly string[], excluded: readonly string[] = []): SegmentEvent => ({
  type: 'SegmentKeysRemoved',
  data: { included, excluded },
});

const events: readonly SegmentEvent[] = [
  { type: 'SegmentCreated', data: content },
  added(['b']),
  removed(['a-7', 'a-8']),
  added(['a-7'], ['y']),
  { type: 'SegmentDetailsChanged', data: { name: 'Staff', description: '', tags: ['t'] } },
  removed(keys('a', 300).filter((key) => key !== 'a-7' && key !== 'a-8')),
  added(keys('c', 400)),
  removed(['c-1'], ['x']),
  {
    type: 'SegmentReverted',
    data: { content: { ...content, included: [], excluded: [] }, fromRevision: 0, keysKept: true },
  },
  { type: 'SegmentDeleted', data: {} },
  { type: 'SegmentRestored', data: { content, fromRevision: 0 } },
  added(['d']),
  { type: 'SegmentKeysChanged', data: { included: keys('e', 150), excluded: [] } },
  removed(['e-0']),
];

const canonicalJson = (value: unknown): string => canonical(value as Json);

const PLACE = { organizationId: ORGANIZATION, project: 'shop' };
const PROJECT = `${ORGANIZATION}:shop`;

test('rows of long lists hold what changed, and tell the whole at every revision', async (t) => {
  const { pool } = await testDatabase(t);
  const history = recorded([...projectBegins, ...events.map((event) => onSegment('staff', event))]);
  const own = history.slice(-events.length);
  // Every event in a batch of its own, with nothing remembered between some of them.
  let applied = await applyBatches(pool, [history.slice(0, 6)]);
  for (const event of history.slice(6))
    applied = await applyBatches(pool, [[event]], applied.checkpoint);

  let state: Segment = absentSegment;
  for (const { position, revision, ...event } of own) {
    state = evolveSegment(state, event as unknown as SegmentEvent);
    const held = await heldEntity(pool)('segment', [PROJECT, 'staff'], position);
    t.equal(canonicalJson([held?.state, held?.revision]), canonicalJson([state, revision]));
  }
  const { segments } = await loadCurrentStates(pool)();
  t.equal(canonicalJson(segments[0]?.state), canonicalJson(state));

  const { rows } = await pool.query<{ revision: number; size: number }>(
    `select r.revision::int, length(r.state::text) as size
       from segment_revision r where r.keys_from is not null order by r.revision`,
  );
  t.strictSame(
    rows.map(({ revision }) => revision),
    [1, 2, 3, 4, 6, 11, 13],
  );
  t.ok(rows.every(({ size }) => size < 1_000));

  const moment = { position: history.at(-1)!.position };
  const list = await listSegments(pool)({ ...PLACE, moment });
  t.match(list.items, [{ key: 'staff', included: 149, excluded: 0 }]);

  const told = await segmentHistory(pool)({ ...PLACE, segment: 'staff', order: 'asc' });
  const texts = told.items.map(({ changes }) => changes.map(({ text }) => text).join('; '));
  t.match(texts.slice(0, 5), [
    /300 included and 1 excluded/,
    /^"b" included$/,
    /^"a-7" and "a-8" no longer included$|^"a-7", "a-8" no longer included$/,
    /"a-7" included; "y" excluded/,
    /name was/,
  ]);
  t.match(texts.slice(7), [
    /"c-1" no longer included; "x" no longer excluded/,
    /^(?!.*cluded)/,
    /^deleted$/,
    /restored/,
    /^"d" included$/,
    /included/,
    /"e-0" no longer included/,
  ]);
});

test('keys of an event that is skipped are in no row', async (t) => {
  const { pool } = await testDatabase(t);
  const own = events.slice(0, 4);
  const history = recorded([
    ...projectBegins,
    ...own.map((event) => onSegment('staff', event)),
    skipping('segment-acme:shop:staff', 1),
  ]);
  await applyBatches(pool, [history]);
  const state = own
    .filter((_, revision) => revision !== 1)
    .reduce<Segment>((before, event) => evolveSegment(before, event), absentSegment);
  const held = await heldEntity(pool)('segment', [PROJECT, 'staff'], history.at(-1)!.position);
  t.equal(canonicalJson(held?.state), canonicalJson(state));
});

test('100 000 keys that come in parts make few times as much of rows', async (t) => {
  const { pool } = await testDatabase(t);
  const created: SegmentEvent = {
    type: 'SegmentCreated',
    data: { ...segmentContent('staff'), included: keys('user', 100_000) },
  };
  const parts = boundedSegmentEvents(absentSegment, [created]);
  const history = recorded([...projectBegins, ...parts.map((event) => onSegment('staff', event))]);
  await applyBatches(pool, [history]);
  const { rows } = await pool.query<{ keys: number; revisions: number }>(
    `select sum(coalesce(jsonb_array_length(r.state -> 'included'), 0))::int as keys,
            count(*)::int as revisions
       from segment_revision r`,
  );
  t.equal(rows[0]?.revisions, parts.length);
  t.ok(Number(rows[0]?.keys) < 200_000, `${rows[0]?.keys} keys in rows`);
  const held = await heldEntity(pool)('segment', [PROJECT, 'staff'], history.at(-1)!.position);
  t.equal(held?.state.included.length, 100_000);
});

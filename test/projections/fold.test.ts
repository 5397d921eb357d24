import { test } from 'tap';
import { type LogEvent } from '../../src/projections/event-log.js';
import { foldEvents } from '../../src/projections/fold/fold.js';
import { MAX_DEPTH } from '../../src/projections/fold/understand.js';
import { flagContent, metadataOf, onFlag, projectBegins, recorded } from '../support/histories.js';

const history = recorded([
  ...projectBegins,
  onFlag('alpha', { type: 'FlagCreated', data: flagContent('alpha') }),
  onFlag('alpha', { type: 'FlagEnabled', data: { environment: 'production' } }),
]);
const last = history.at(-1)!;

const nested = (depth: number): unknown => {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = [value];
  return value;
};
const fold = (changed: Partial<LogEvent>) =>
  foldEvents([...history.slice(0, -1), { ...last, ...changed }], () => undefined, null);

const poisons: Readonly<Record<string, [Partial<LogEvent>, RegExp]>> = {
  'an unknown type': [{ type: 'FlagPainted' }, /'FlagPainted' is unknown/],
  'a type of another category': [{ type: 'ProjectDeleted' }, /does not belong/],
  'a newer schema version': [{ metadata: metadataOf(1, { schemaVersion: 2 }) }, /version 2/],
  'no metadata': [{ metadata: undefined }, /metadata cannot be decoded/],
  'data that is no JSON object': [{ data: '{"environment": ' }, /data cannot be decoded/],
  'a NUL character': [{ data: { environment: 'a\0b' } }, /\\u0000/],
  'half a surrogate pair': [{ data: { environment: '\ud800' } }, /surrogate/],
  'half a surrogate pair in a member name': [{ data: { ['\udc00']: 1 } }, /surrogate/],
  'a number that is not finite': [{ data: { environment: Infinity } }, /finite/],
  'deep nesting': [{ data: { environment: nested(100_000) } }, /deeper/],
  'a revision gap': [{ revision: 2 }, /Revision 1 of the stream should come next, not 2/],
  'a repeated revision': [{ revision: 0 }, /Revision 1 of the stream should come next, not 0/],
  'a stream that does not begin with a creation': [
    { stream: 'flag-acme:shop:beta', revision: 0 },
    /creation/,
  ],
  'a flag that is not that of the stream': [
    { type: 'FlagReverted', data: { content: flagContent('beta'), status: 'active' } },
    /not that of the stream/,
  ],
  'a state that readers cannot use': [{ type: 'FlagVariantsChanged', data: {} }, /'variants'/],
};

/** The reason for which the stream of the last event is parked; undefined when it is not. */
const parkedFor = (changed: Partial<LogEvent>): string | undefined => {
  const { steps } = fold(changed);
  const after = steps.at(-1)?.after;
  return after?.category === 'parked' ? after.since.error : undefined;
};

for (const [what, [changed, reason]] of Object.entries(poisons))
  test(`${what} parks the stream, and all in front of it is folded`, async (t) => {
    const { steps } = fold(changed);
    t.equal(steps.length, history.length);
    t.ok(steps.slice(0, -1).every(({ after }) => after.category !== 'parked'));
    t.match(parkedFor(changed), reason);
    t.match(steps.at(-1)?.after, { since: { position: last.position }, waiting: 0 });
  });

test('a stream that only begins like one of ours is left out', async (t) => {
  for (const stream of ['flag-acme:shop:a:b', 'flag-acme:shop', 'flag-', 'project-acme'])
    t.equal(fold({ stream }).steps.length, history.length - 1, stream);
});

test('the events behind the one that parks a stream wait; other streams go on', async (t) => {
  const odd = { ...history[3]!, type: 'FlagPainted' };
  const { steps } = foldEvents(
    [...history.slice(0, 3), odd, ...history.slice(4)],
    () => undefined,
    null,
  );
  const waits = steps.filter(({ event }) => event.stream === odd.stream);
  t.ok(waits.every(({ after }) => after.category === 'parked'));
  t.match(waits.at(-1)?.after, { since: { position: odd.position }, waiting: waits.length - 1 });
  const others = steps.filter(({ event }) => event.stream !== odd.stream);
  t.ok(others.length > 0 && others.every(({ after }) => after.category !== 'parked'));
});

test('what Postgres can store parks nothing', async (t) => {
  t.equal(parkedFor({ data: { environment: 'production', note: '\ud83d\ude00' } }), undefined);
  t.equal(parkedFor({ data: { environment: 'production', x: nested(MAX_DEPTH - 2) } }), undefined);
});

test('times never decrease along the log', async (t) => {
  const early = { ...last, recordedAt: '2020-01-01T00:00:00.000Z' };
  const { steps } = foldEvents([...history.slice(0, -1), early], () => undefined, null);
  t.equal(steps.at(-1)?.event.recordedAt, history.at(-2)?.recordedAt);
  const behind = foldEvents(history, () => undefined, '2030-01-01T00:00:00.000Z').steps;
  t.ok(behind.every(({ event }) => event.recordedAt === '2030-01-01T00:00:00.000Z'));
});

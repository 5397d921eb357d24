import { test } from 'tap';
import { type LogEvent } from '../../src/projections/event-log.js';
import { foldEvents } from '../../src/projections/fold/fold.js';
import { MAX_DEPTH } from '../../src/projections/fold/storable.js';
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
  'a stream name with too many parts': [{ stream: 'flag-acme:shop:a:b' }, /no known shape/],
  'a stream name with too few parts': [{ stream: 'flag-acme:shop' }, /no known shape/],
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

for (const [what, [changed, reason]] of Object.entries(poisons))
  test(`${what} is poison, and all in front of it is folded`, async (t) => {
    const { steps, poison } = fold(changed);
    t.equal(steps.length, history.length - 1);
    t.match(poison?.message, reason);
    t.equal(poison?.event.position, last.position);
  });

test('what Postgres can store is no poison', async (t) => {
  t.equal(fold({ data: { environment: 'production', note: '\ud83d\ude00' } }).poison, undefined);
  t.equal(
    fold({ data: { environment: 'production', x: nested(MAX_DEPTH - 2) } }).poison,
    undefined,
  );
});

test('times never decrease along the log', async (t) => {
  const early = { ...last, recordedAt: '2020-01-01T00:00:00.000Z' };
  const { steps } = foldEvents([...history.slice(0, -1), early], () => undefined, null);
  t.equal(steps.at(-1)?.event.recordedAt, history.at(-2)?.recordedAt);
  const behind = foldEvents(history, () => undefined, '2030-01-01T00:00:00.000Z').steps;
  t.ok(behind.every(({ event }) => event.recordedAt === '2030-01-01T00:00:00.000Z'));
});

import { test } from 'tap';
import { parseMoment, resolveMoment } from '../../src/queries/moments.js';
import { parseTime } from '../../src/queries/time.js';
import { testDatabase } from '../support/database.js';

const utc = (text: string): string => new Date(parseTime(text).floorMs).toISOString();

test('a time is read with its offset, to the millisecond', async (t) => {
  t.equal(utc('2026-03-01T12:00:00Z'), '2026-03-01T12:00:00.000Z');
  t.equal(utc('2026-03-01t12:00:00.5z'), '2026-03-01T12:00:00.500Z');
  t.equal(utc('2026-03-01T12:00:00+02:00'), '2026-03-01T10:00:00.000Z');
  t.equal(utc('2026-03-01T00:00:00-23:59'), '2026-03-01T23:59:00.000Z');
  t.equal(utc('2024-02-29T00:00:00Z'), '2024-02-29T00:00:00.000Z');
  t.equal(utc('0000-01-01T00:00:00Z'), '0000-01-01T00:00:00.000Z');
});

test('a time between two milliseconds has both', async (t) => {
  const { floorMs, ceilMs } = parseTime('1970-01-01T00:00:00.1239999Z');
  t.strictSame([floorMs, ceilMs], [123, 124]);
  t.strictSame(parseTime('1970-01-01T00:00:00.1230000Z'), { floorMs: 123, ceilMs: 123 });
});

test('what is no RFC 3339 time is refused', async (t) => {
  const bad = [
    '',
    'now',
    '2026-03-01',
    '2026-03-01T12:00Z',
    '2026-03-01T12:00:00',
    '2026-03-01 12:00:00Z',
    '2026-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T23:59:60Z',
    '2016-12-31T22:59:60Z',
    '2016-12-31T23:59:60+01:00',
    '2026-01-01T00:00:00+24:00',
    '2026-01-01T00:00:00.Z',
    '+02026-01-01T00:00:00Z',
    '1767225600',
  ];
  for (const text of bad) t.throws(() => parseTime(text), { code: 'malformed-time' }, text);
});

test('a leap second is the second after it', async (t) => {
  const ms = Date.UTC(2017, 0, 1);
  t.strictSame(parseTime('2016-12-31T23:59:60Z'), { floorMs: ms, ceilMs: ms });
  t.strictSame(parseTime('2017-01-01T01:59:60.5+02:00'), { floorMs: ms + 500, ceilMs: ms + 500 });
});

test('an end of a diff is a time, a position, a revision or now', async (t) => {
  t.strictSame(parseMoment('now'), {});
  t.strictSame(parseMoment('position:12'), { position: 12 });
  t.strictSame(parseMoment('revision:0'), { revision: 0 });
  t.strictSame(parseMoment('2026-03-01T12:00:00Z'), { at: '2026-03-01T12:00:00Z' });
  t.strictSame(parseMoment('position:-1'), { at: 'position:-1' });
});

test('an empty log has one moment: before everything', async (t) => {
  const { pool: db } = await testDatabase(t);
  t.strictSame((await resolveMoment(db)({})).position, -1);
  t.strictSame((await resolveMoment(db)({ at: '2026-01-01T00:00:00Z' })).position, -1);
  t.strictSame((await resolveMoment(db)({ at: '0000-01-01T00:00:00Z' })).position, -1);
  await t.rejects(resolveMoment(db)({ position: 0 }), { code: 'moment-in-future' });
});

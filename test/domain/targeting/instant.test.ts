import fc from 'fast-check';
import { test } from 'tap';
import { instantOf } from '../../../src/domain/targeting/instant.js';
import { property } from '../../support/property.js';

test('RFC 3339 text is read as the platform reads it', async (t) => {
  const date = fc.date({
    min: new Date('0000-01-01T00:00:00Z'),
    max: new Date('9999-12-31T23:59:59.999Z'),
    noInvalidDate: true,
  });
  property(t, [date], (day) => instantOf(day.toISOString()) === day.getTime());
  const offset = fc.integer({ min: -23 * 60 - 59, max: 23 * 60 + 59 });
  property(t, [offset], (minutes) => {
    const [hour, minute] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
    const clock = [hour, minute].map((part) => String(part).padStart(2, '0')).join(':');
    const text = `2026-03-01T12:30:15.5${minutes < 0 ? '-' : '+'}${clock}`;
    return instantOf(text) === Date.parse(text);
  });
});

test('fractions count to the microsecond', async (t) => {
  t.equal(instantOf('1970-01-01T00:00:01.001Z'), 1_001);
  t.equal(instantOf('1970-01-01T00:00:00.0000005Z'), 0.001);
  t.equal(instantOf('1970-01-01T00:00:59.9994996Z'), 59_999.5);
  t.equal(instantOf('1970-01-01t00:00:00z'), 0);
  t.equal(instantOf('2024-02-29T00:00:00Z'), Date.UTC(2024, 1, 29));
  t.equal(instantOf('2000-02-29T00:00:00Z'), Date.UTC(2000, 1, 29));
});

test('whole milliseconds are instants', async (t) => {
  for (const ms of [0, -1, 1_700_000_000_000]) t.equal(instantOf(ms), ms);
});

test('what is no instant is none', async (t) => {
  const days = ['2023-02-29', '1900-02-29', '2026-04-31', '2026-13-01', '2026-00-10', '2026-01-00'];
  const texts = [
    ...days.map((day) => `${day}T00:00:00Z`),
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:60:00Z',
    '2026-01-01T00:00:60Z',
    '2026-01-01T00:00:00+24:00',
    '2026-01-01T00:00:00+0100',
    '2026-01-01T00:00:00',
    '2026-01-01T00:00Z',
    '2026-01-01 00:00:00Z',
    '2026-01-01T00:00:00.Z',
    '2026-01-01',
    '26-01-01T00:00:00Z',
    '1700000000000',
    '',
  ];
  for (const value of [...texts, 1.5, NaN, Infinity, 2 ** 53, null, true, {}, []])
    t.ok(Number.isNaN(instantOf(value)), JSON.stringify(value));
});

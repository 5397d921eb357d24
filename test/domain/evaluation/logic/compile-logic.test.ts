import { test } from 'tap';
import {
  compileLogic,
  requireValidLogic,
} from '../../../../src/domain/evaluation/logic/compile.js';
import { largeBucketOf } from '../../../../src/domain/evaluation/logic/flagd-functions.js';
import { type Json } from '../../../../src/domain/json.js';
import { aContext, NOW_MS } from '../../../support/evaluation.js';

const run = (expression: Json, attributes: Readonly<Record<string, unknown>> = {}) =>
  compileLogic(expression, 'f')(aContext('anna', attributes));

test('a result names a variant by its text', async (t) => {
  const rows: readonly (readonly [Json, string | null])[] = [
    ['on', 'on'],
    [true, 'true'],
    [1.5, '1.5'],
    [null, null],
    [{ var: 'list' }, 'a,b'],
    [{ if: [false, 'on'] }, null],
  ];
  t.plan(rows.length);
  for (const [expression, name] of rows) t.equal(run(expression, { list: ['a', 'b'] }), name);
});

test('what fails has no result, and throws nothing', async (t) => {
  const rows: readonly Json[] = [
    { '<': [{ var: 'text' }, 5] },
    { '+': [{ var: 'object' }, 1] },
    { '/': [1, { var: 'absent' }] },
    { in: ['a', { var: 'number' }] },
    { substr: [{ var: 'number' }, 0] },
    { map: [{ var: 'text' }, { var: '' }] },
    { reduce: [{ var: 'absent' }, { var: 'current' }] },
    { max: [{ var: 'text' }] },
    { missing_some: ['x', ['a']] },
    { unknown: 1 },
  ];
  t.plan(rows.length);
  for (const row of rows) {
    const attributes = { text: 'abc', object: {}, number: 5 };
    t.equal(run(row, attributes), undefined, JSON.stringify(row));
  }
});

test('an expression reaches what a context has of its own, and nothing else', async (t) => {
  const paths = ['constructor', '__proto__', 'a.constructor', 'toString.name', 'a.__proto__.x'];
  t.plan(paths.length + 3);
  for (const path of paths) t.equal(run({ var: path }, { a: {} }), null, path);
  t.equal(run({ var: 'a.b' }, { a: { b: 'c' } }), 'c');
  t.equal(run({ var: 'a\\.b' }, { 'a.b': 'c' }), 'c');
  t.equal(run({ var: 'a.1' }, { a: ['b', 'c'] }), 'c');
});

test('flagd tells an expression the flag and the time', async (t) => {
  t.equal(run({ var: '$flagd.flagKey' }), 'f');
  t.equal(run({ var: '$flagd.timestamp' }), String(NOW_MS / 1000));
  t.equal(run({ var: '$flagd.timestamp' }, { $flagd: { timestamp: 5 } }), String(NOW_MS / 1000));
});

test('versions are compared as flagd compares them', async (t) => {
  const rows: readonly (readonly [Json, string, Json, string | null])[] = [
    ['1.2.3', '=', 'v1.2.3', 'true'],
    ['1.2.3+a', '=', '1.2.3+b', 'true'],
    ['1.2.3-beta.2', '<', '1.2.3-beta.11', 'true'],
    ['1.2.3-beta', '<', '1.2.3', 'true'],
    ['1.2.3-1', '<', '1.2.3-alpha', 'true'],
    ['1.2.3-a', '<', '1.2.3-a.b', 'true'],
    [2, '>', '1.9', 'true'],
    ['1.9.0', '^', '1.2.0', 'true'],
    ['1.0.0', '^', '1.2.0', 'true'],
    ['1.3.0', '~', '1.2.0', 'false'],
    ['1.2', '!=', '1.2.0', 'false'],
    ['01.2.3', '=', '1.2.3', null],
    ['1.2.3.4', '=', '1.2.3', null],
    ['1.2.3', '?', '1.2.3', null],
    [null, '=', '1.2.3', null],
  ];
  t.plan(rows.length);
  for (const [left, operator, right, wanted] of rows) {
    const expression = { sem_ver: [{ var: 'v' }, operator, right] };
    t.equal(run(expression, { v: left }), wanted, JSON.stringify([left, operator, right]));
  }
});

test('a bucket is exact for every total that flagd allows', async (t) => {
  const hashes = [0, 1, 2_147_483_647, 2_147_483_648, 1_557_731_397, 4_294_967_295];
  const totals = [1, 3, 100, 2 ** 20, 2 ** 31 - 1];
  t.plan(hashes.length * totals.length);
  for (const hash of hashes)
    for (const total of totals)
      t.equal(largeBucketOf(hash, total), Number((BigInt(hash) * BigInt(total)) >> 32n));
});

test('a split without a unit, or with a malformed share, chooses nothing', async (t) => {
  const rows: readonly Json[] = [
    [{ var: 'email' }, ['on', 1]],
    ['x', ['on', 1, 2]],
    ['x', ['on', 0.5]],
    ['x', ['on', -1]],
    ['x', [['on'], 1]],
    [],
  ];
  t.plan(rows.length + 1);
  for (const fractional of rows) t.equal(run({ fractional }), null, JSON.stringify(fractional));
  t.equal(compileLogic({ fractional: [['on']] }, 'f')(aContext(undefined)), null);
});

const nested = (depth: number): Json => (depth === 0 ? { var: 'a' } : { '!': [nested(depth - 1)] });

test('what flagd does not have is refused with its place', async (t) => {
  const rows: readonly (readonly [Json, RegExp])[] = [
    [{ and: [true, { xor: [1] }] }, /^\/t\/and\/1\/xor is no operator/],
    [{ 'a/b': 1 }, /^\/t\/a~1b is no operator/],
    [{ if: [true], or: [] }, /^\/t must have one operator/],
    [{ '<': [1, 2, 3, 4] }, /^\/t\/< takes a list of 2 to 3 arguments/],
    [{ var: { a: 1 } }, /^\/t\/var must name an attribute/],
    [{ map: [{ var: 'a' }, { var: '../b' }] }, /^\/t\/map\/1\/var cannot read outside/],
    [nested(70), /is nested deeper than 64/],
    [{ in: ['a', Array.from({ length: 20_001 }, () => 'b')] }, /is beyond 20000 parts/],
  ];
  t.plan(rows.length);
  for (const [expression, message] of rows)
    t.throws(
      () => {
        requireValidLogic(expression, 'f', '/t');
      },
      { code: 'invalid-logic', message },
    );
});

test('texts and lists do not grow beyond bounds', async (t) => {
  const doubled = { cat: [{ var: 'accumulator' }, { var: 'accumulator' }] };
  const many = Array.from({ length: 40 }, () => 'x');
  t.equal(run({ reduce: [{ var: 'many' }, doubled, 'x'] }, { many }), undefined);
});

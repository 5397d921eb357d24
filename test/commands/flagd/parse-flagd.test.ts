import { readFileSync } from 'node:fs';
import { test } from 'tap';
import { parseFlagd, readFlagdFile } from '../../../src/domain/flagd/parse.js';
import { type Json, type JsonObject } from '../../../src/domain/json.js';

const shop = JSON.parse(
  readFileSync(new URL('../../../examples/shop.flagd.json', import.meta.url), 'utf8'),
) as JsonObject;

const variants = { on: true, off: false };

const parseOne = (flag: Json) => {
  const [parsed] = parseFlagd(readFlagdFile({ flags: { f: flag } }));
  if (parsed === undefined) throw new Error('One flag was given.');
  return parsed;
};

const definition = (flag: JsonObject) => {
  const parsed = parseOne({ state: 'ENABLED', variants, defaultVariant: 'on', ...flag });
  if ('refusal' in parsed) throw parsed.refusal;
  return parsed.definition;
};

const refusal = (flag: Json): string => {
  const parsed = parseOne(flag);
  return 'refusal' in parsed ? parsed.refusal.message : 'not refused';
};

test('every flag of the example is imported', async (t) => {
  const parsed = parseFlagd(readFlagdFile(shop));
  t.equal(parsed.length, 16);
  t.strictSame(
    parsed.filter((flag) => 'refusal' in flag),
    [],
  );
});

test('a flag says its type, variants, state and default', async (t) => {
  const flag = {
    description: 'd',
    state: 'DISABLED',
    variants: { a: 1, b: 2.5 },
    defaultVariant: 'b',
  };
  t.strictSame(definition(flag), {
    description: 'd',
    type: 'number',
    variants: [
      { name: 'a', value: 1 },
      { name: 'b', value: 2.5 },
    ],
    enabled: false,
    rules: [],
    fallthrough: { variant: 'b' },
  });
});

test('no default variant means the code default', async (t) => {
  t.strictSame(definition({ defaultVariant: null }).fallthrough, { variant: null });
});

const split = (targeting: Json) =>
  definition({ targeting: targeting, defaultVariant: null }).fallthrough;

const shares = [
  ['on', 25],
  ['off', 75],
] as const;

const weights = [
  { variant: 'on', weight: 25 },
  { variant: 'off', weight: 75 },
];

test('fractional keeps its weights and hashes what flagd hashes', async (t) => {
  const common = { weights, total: 100, algorithm: 'murmur3-32' };
  t.strictSame(split({ fractional: shares }), {
    split: { ...common, bucketBy: 'targetingKey', salt: 'f' },
  });
  t.strictSame(split({ fractional: [{ var: 'email' }, ...shares] }), {
    split: { ...common, bucketBy: 'email', salt: '' },
  });
  const joined = { cat: [{ var: '$flagd.flagKey' }, { var: 'email' }] };
  t.strictSame(split({ fractional: [joined, ...shares] }), {
    split: { ...common, bucketBy: 'email', salt: 'f' },
  });
});

test('a share without a weight has the weight 1', async (t) => {
  const serve = split({ fractional: [['on'], ['off', 3]] });
  t.match(serve, { split: { total: 4 } });
});

test('metadata of a flag is kept', async (t) => {
  const metadata = { team: 'payments', tier: 1, isPublic: false };
  t.strictSame(definition({ metadata }).metadata, metadata);
  t.equal(definition({ metadata: {} }).metadata, undefined);
});

test('what flagd would not accept is refused, with its place in the file', async (t) => {
  const flag = { state: 'ENABLED', variants, defaultVariant: 'on' };
  const rows: [Json, RegExp][] = [
    [5, /^\/flags\/f must be an object/],
    [{ ...flag, state: 'MAYBE' }, /^\/flags\/f\/state /],
    [{ ...flag, variants: {} }, /^\/flags\/f\/variants /],
    [{ ...flag, variants: { a: 1, b: 'x' } }, /^\/flags\/f\/variants must all be/],
    [{ ...flag, variants: { a: [1] } }, /^\/flags\/f\/variants must all be/],
    [{ ...flag, variants: { '': true } }, /^\/flags\/f\/variants has a name/],
    [{ ...flag, defaultVariant: 'nope' }, /^\/flags\/f\/defaultVariant /],
    [{ ...flag, description: 5 }, /^\/flags\/f\/description /],
    [{ ...flag, metadata: 5 }, /^\/flags\/f\/metadata must be an object/],
    [{ ...flag, metadata: { a: [] } }, /^\/flags\/f\/metadata\/a must be/],
    [{ ...flag, targeting: 'on' }, /^\/flags\/f\/targeting must be an expression/],
    [
      { ...flag, targeting: { if: [{ '=': [1, 2] }, 'on'] } },
      /^\/flags\/f\/targeting\/if\/0\/= is no operator/,
    ],
    [
      { ...flag, targeting: { and: [true, { if: 'on' }] } },
      /^\/flags\/f\/targeting\/and\/1\/if takes a list/,
    ],
    [
      { ...flag, targeting: { if: [{ $ref: 'nobody' }, 'on'] } },
      /^\/flags\/f\/targeting\/if\/0\/\$ref names nothing/,
    ],
    [{ ...flag, targeting: { if: [true], and: [] } }, /^\/flags\/f\/targeting must have one/],
  ];
  t.plan(rows.length);
  for (const [row, message] of rows) t.match(refusal(row), message);
});

test('a file without flags is no flagd file', async (t) => {
  t.throws(() => readFlagdFile({ flagz: {} }), { code: 'invalid-flagd-file' });
});

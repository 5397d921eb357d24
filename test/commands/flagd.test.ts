import { readFileSync } from 'node:fs';
import { test } from 'tap';
import { parseFlagd } from '../../src/commands/flagd/parse-flagd.js';
import { type Json, type JsonObject } from '../../src/domain/json.js';

const demo = JSON.parse(
  readFileSync(new URL('../../examples/otel-demo.flagd.json', import.meta.url), 'utf8'),
) as JsonObject;

const variants = { on: true, off: false };

const parseOne = (flag: Json) => {
  const [parsed] = parseFlagd({ flags: { f: flag } });
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

test('of the 16 flags of a real file 15 can be expressed', async (t) => {
  const parsed = parseFlagd(demo);
  t.equal(parsed.length, 16);
  const refused = parsed.filter((flag) => 'refusal' in flag);
  t.strictSame(
    refused.map(({ key }) => key),
    ['productCatalogFailure'],
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
    fallthrough: { variant: 'b' },
  });
});

test('no default variant means the code default', async (t) => {
  t.strictSame(definition({ defaultVariant: null }).fallthrough, { variant: null });
});

const split = (targeting: Json) => definition({ targeting }).fallthrough;

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

test('what cannot be expressed is refused, with its place in the file', async (t) => {
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
    [{ ...flag, metadata: {} }, /^\/flags\/f\/metadata cannot be kept/],
    [{ ...flag, targeting: { if: [true, 'on', 'off'] } }, /^\/flags\/f\/targeting cannot be/],
    [
      { ...flag, targeting: { fractional: [['on', -1]] } },
      /fractional must be \[variant, weight\]/,
    ],
    [{ ...flag, targeting: { fractional: [['on', 0]] } }, /add up to 0/],
    [{ ...flag, targeting: { fractional: [['on', 2 ** 21]] } }, /add up to 2097152/],
    [{ ...flag, targeting: { fractional: [['x', 1]] } }, /serves "x"/],
    [
      { ...flag, targeting: { fractional: [{ var: '$flagd.timestamp' }, ['on', 1]] } },
      /fractional\/0 hashes something/,
    ],
  ];
  t.plan(rows.length);
  for (const [row, message] of rows) t.match(refusal(row), message);
});

test('a file without flags is no flagd file', async (t) => {
  t.throws(() => parseFlagd({ flagz: {} }), { code: 'invalid-flagd-file' });
});

import fc, { type Arbitrary } from 'fast-check';
import { type Schema } from '../support/openapi.js';

const NASTY_TEXTS = [
  '',
  ' ',
  '\u0000',
  '\ud800',
  '__proto__',
  'constructor',
  'toString',
  '../..',
  '%00',
  "'; drop table flag; --",
  'a'.repeat(300),
  'null',
  '-1',
  '1e400',
  'NaN',
  '2026-02-30T25:61:61Z',
  'ﷺ😀\u202e',
];

/** Values that nobody should send. */
export const hostile: Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(...NASTY_TEXTS),
  fc.constantFrom(null, true, 0, -1, 1.5, 1e308, Number.MAX_SAFE_INTEGER, [], {}, [[]]),
  fc.json({ maxDepth: 3 }).map((text) => JSON.parse(text) as unknown),
  fc.string({ unit: 'binary', maxLength: 20 }),
);

type Numbers = Readonly<{ minimum?: number; maximum?: number }>;
type Lengths = Readonly<{ minLength?: number; maxLength?: number; pattern?: string }>;
type Lists = Readonly<{ minItems?: number; items?: Schema }>;
type Objects = Readonly<{
  properties?: Readonly<Record<string, Schema>>;
  required?: readonly string[];
  additionalProperties?: unknown;
}>;

const MOST_ITEMS = 4;
const MOST_CHARACTERS = 30;

const texts = ({ minLength = 0, maxLength = MOST_CHARACTERS, pattern }: Lengths) => {
  const most = Math.min(maxLength, MOST_CHARACTERS);
  const plain = fc.stringMatching(/^[a-z0-9]{1,12}$/);
  const any = fc.string({
    unit: 'grapheme',
    minLength: Math.min(minLength, most),
    maxLength: most,
  });
  const named = fc.constantFrom('on', 'off', 'production', 'staging', 'checkout', 'demo');
  return pattern === undefined ? fc.oneof(plain, named, any) : fc.oneof(plain, named);
};

const numbers = ({ minimum = -1e6, maximum = 1e6 }: Numbers, isInteger: boolean) =>
  isInteger
    ? fc.integer({ min: minimum, max: Math.min(maximum, 1_000) })
    : fc.double({ min: minimum, max: maximum, noNaN: true });

const objects = ({ properties = {}, required = [], additionalProperties }: Objects) => {
  const members = Object.entries(properties).map(
    ([name, schema]) => [name, fitting(schema)] as const,
  );
  const known = fc.record(Object.fromEntries(members), { requiredKeys: [...required] as never[] });
  const more = fc.dictionary(fc.string({ maxLength: 8 }), hostile, { maxKeys: 2 });
  return additionalProperties === false
    ? fc.oneof({ weight: 9, arbitrary: known }, fc.tuple(known, more).map(mixed))
    : fc.tuple(known, more).map(mixed);
};

const mixed = ([known, more]: [object, object]): object => ({ ...more, ...known });

/** Values that fit a JSON schema, most of them. */
export const fitting = (schema: Schema): Arbitrary<unknown> => {
  const branches = schema['anyOf'] as readonly Schema[] | undefined;
  if (branches !== undefined) return fc.oneof(...branches.map(fitting));
  if ('const' in schema) return fc.constant(schema['const']);
  if (Array.isArray(schema['enum'])) return fc.constantFrom(...(schema['enum'] as unknown[]));
  switch (schema['type']) {
    case 'object':
      return objects(schema);
    case 'array': {
      const { items = {}, minItems = 0 } = schema as Lists;
      return fc.array(fitting(items), { minLength: minItems, maxLength: MOST_ITEMS });
    }
    case 'string':
      return texts(schema);
    case 'integer':
    case 'number':
      return numbers(schema, schema['type'] === 'integer');
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    default:
      return hostile;
  }
};

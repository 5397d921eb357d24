import { attributePath, NOW } from '../targeting/clause.js';

/** The evaluation context of OpenFeature. Attributes are as the caller sent them: anything. */
export type Context = Readonly<{
  targetingKey: string | undefined;
  attributes: Readonly<Record<string, unknown>>;
  /** The instant of the evaluation: of a past moment it is that moment's. Milliseconds since 1970. */
  nowMs: number;
}>;

/** The value of an attribute; undefined when absent. */
export type ReadAttribute = (context: Context) => unknown;

const isInherited = (name: string): boolean => name in Object.prototype;

/** A member of an object; elements of arrays have no names. What objects inherit (`constructor`) is absent. */
const memberOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;

const singleName = (name: string): ReadAttribute =>
  isInherited(name)
    ? ({ attributes }) => memberOf(attributes, name)
    : ({ attributes }) => attributes[name];

/** The value of an attribute by its bare name; undefined when absent. */
export const attributeOf = ({ targetingKey, attributes }: Context, name: string): unknown =>
  name === 'targetingKey' ? targetingKey : memberOf(attributes, name);

/** Reads what a path names (clause.ts). What is no path names nothing. */
export const attributeReader = (path: string): ReadAttribute => {
  if (path === 'targetingKey') return ({ targetingKey }) => targetingKey;
  if (path === NOW) return ({ nowMs }) => nowMs;
  const [first, ...further] = attributePath(path) ?? [];
  if (first === undefined) return () => undefined;
  const read = singleName(first);
  if (further.length === 0) return read;
  return (context) => {
    let value = read(context);
    for (const name of further) value = memberOf(value, name);
    return value;
  };
};

/**
 * The text that is hashed for an attribute: a non-empty string, or an integer in decimal, so that 42 and "42"
 * are one unit. Undefined for everything else: then no split can be made.
 */
export const bucketingUnit = (value: unknown): string | undefined => {
  if (typeof value === 'string') return value === '' ? undefined : value;
  return Number.isSafeInteger(value) ? String(value) : undefined;
};

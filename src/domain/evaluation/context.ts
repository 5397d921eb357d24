/** Whom a flag is evaluated for, in OpenFeature's words. Attributes are as the caller sent them: anything. */
export type Context = Readonly<{
  targetingKey: string | undefined;
  attributes: Readonly<Record<string, unknown>>;
}>;

/** The value of an attribute; undefined when absent. What objects inherit (`constructor`, `__proto__`) is absent. */
export const attributeOf = ({ targetingKey, attributes }: Context, name: string): unknown => {
  if (name === 'targetingKey') return targetingKey;
  return Object.hasOwn(attributes, name) ? attributes[name] : undefined;
};

/**
 * The text that is hashed for an attribute: a non-empty string, or an integer in decimal, so that 42 and "42"
 * are one unit. Undefined for everything else: then no split can be made.
 */
export const bucketingUnit = (context: Context, name: string): string | undefined => {
  const value = attributeOf(context, name);
  if (typeof value === 'string') return value === '' ? undefined : value;
  return Number.isSafeInteger(value) ? String(value) : undefined;
};

import { type Context } from '../../domain/evaluation/context.js';
import { DomainError } from '../../domain/decider.js';

/** Query parameters that are not attributes. */
export const RESERVED = ['targetingKey', 'at', 'position', 'explain'] as const;

const isReserved = (name: string): boolean => (RESERVED as readonly string[]).includes(name);

const checkText = (text: unknown): void => {
  if (typeof text === 'string' && text.includes('\u0000'))
    throw new DomainError('invalid-request', 'An attribute has the character U+0000.');
};

/**
 * A context from a query string: every parameter but the reserved ones is an attribute. A query has no types, so
 * all are strings (send the context with POST where types matter); a parameter given twice is a list of strings.
 * @throws DomainError `invalid-request`
 */
export const contextFromQuery = (
  query: Readonly<Record<string, unknown>> & Readonly<{ targetingKey?: string }>,
): Context => {
  const attributes: Record<string, unknown> = {};
  for (const name in query) {
    const value = query[name];
    if (Array.isArray(value)) value.forEach(checkText);
    else checkText(value);
    // Assigning to __proto__ would set the prototype instead of an attribute.
    if (!isReserved(name) && name !== '__proto__') attributes[name] = value;
  }
  return { targetingKey: query.targetingKey, attributes, nowMs: Date.now() };
};

/** A context in OpenFeature's shape: attributes of any type, and the targeting key among them. */
export const contextFromBody = (
  context: Readonly<Record<string, unknown>> & Readonly<{ targetingKey?: string }>,
): Context => ({
  targetingKey: context.targetingKey,
  attributes: context,
  nowMs: Date.now(),
});

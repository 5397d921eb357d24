import { type SegmentDefinition } from '../evaluation/segment-definition.js';
import { type Json } from '../json.js';
import { MAX_REFERENCE_DEPTH } from '../targeting/clause.js';
import { areTrue, type Membership } from './clause-expressions.js';
import { all, any, cannotExpress, not } from './expressions.js';

const isOneOf = (keys: readonly string[]): Json =>
  keys.length === 0 ? false : { in: [{ var: 'targetingKey' }, keys] };

/** Membership in the segments of an environment, with the segments that they refer to put in. */
export const membershipIn = (segments: ReadonlyMap<string, SegmentDefinition>): Membership => {
  const expressions = new Map<string, Json>();
  const expressionOf = (definition: SegmentDefinition, depth: number): Json => {
    if (depth > MAX_REFERENCE_DEPTH) return cannotExpress('segments refer to each other too deep');
    const { excluded, included, rules } = definition;
    const membership: Membership = (key) => memberOf(key, depth + 1);
    return all([
      not(isOneOf(excluded)),
      any([isOneOf(included), ...rules.map(({ clauses }) => areTrue(clauses, membership))]),
    ]);
  };
  const memberOf = (key: string, depth: number): Json | undefined => {
    const known = expressions.get(key);
    if (known !== undefined) return known;
    const definition = segments.get(key);
    if (definition === undefined) return undefined;
    const expression = expressionOf(definition, depth);
    expressions.set(key, expression);
    return expression;
  };
  return (key) => memberOf(key, 0);
};

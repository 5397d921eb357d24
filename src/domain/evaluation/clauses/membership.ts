import { MAX_REFERENCE_DEPTH } from '../../targeting/clause.js';
import { type Context } from '../context.js';
import { isKnown, memorize, spend } from '../work.js';
import { areAllTrue, type CompiledSegment, type Segments } from './compiled-clause.js';
import { FALSE, TRUE, type Truth, UNKNOWN } from './truth.js';

const isListed = (segment: CompiledSegment, targetingKey: string | undefined): Truth => {
  if (targetingKey === undefined) return UNKNOWN;
  if (segment.excluded.has(targetingKey)) return FALSE;
  return segment.included.has(targetingKey) ? TRUE : UNKNOWN;
};

const byRules = (
  { rules, clauses, memo }: CompiledSegment,
  context: Context,
  segments: Segments,
  depth: number,
): Truth => {
  if (isKnown(memo)) return memo.value;
  // Of a segment within itself nothing can be said.
  memorize(memo, UNKNOWN);
  spend(clauses);
  for (const { conditions } of rules)
    if (areAllTrue(conditions, context, segments, depth + 1)) return memorize(memo, TRUE);
  return memorize(memo, FALSE);
};

/**
 * Whether the context is in a segment: excluded keys are not, included ones are, and else whom any rule matches.
 * Unknown for a segment that is not there, and for one within too many others.
 */
export const membership = (
  key: string,
  context: Context,
  segments: Segments,
  depth: number,
): Truth => {
  const segment = segments.get(key);
  if (segment === undefined || depth > MAX_REFERENCE_DEPTH) return UNKNOWN;
  const listed = isListed(segment, context.targetingKey);
  if (listed !== UNKNOWN) return listed;
  return segment.rules.length === 0 ? FALSE : byRules(segment, context, segments, depth);
};

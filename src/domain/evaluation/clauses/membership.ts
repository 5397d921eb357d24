import { MAX_REFERENCE_DEPTH } from '../../targeting/clause.js';
import { type Context } from '../context.js';
import { areAllTrue, type CompiledSegment, type Segments } from './compiled-clause.js';
import { FALSE, TRUE, type Truth, UNKNOWN } from './truth.js';

const isListed = (segment: CompiledSegment, targetingKey: string | undefined): Truth => {
  if (targetingKey === undefined) return UNKNOWN;
  if (segment.excluded.has(targetingKey)) return FALSE;
  return segment.included.has(targetingKey) ? TRUE : UNKNOWN;
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
  for (const { conditions } of segment.rules)
    if (areAllTrue(conditions, context, segments, depth + 1)) return TRUE;
  return FALSE;
};

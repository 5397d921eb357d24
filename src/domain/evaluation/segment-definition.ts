import { type Position, positionInJson } from '../position.js';
import { type SegmentRule } from '../segment/events.js';
import { type ExistingSegment } from '../segment/segment.js';

/** All that evaluating membership needs, as it is stored in Redis and on disk. */
export type SegmentDefinition = Readonly<{
  key: string;
  /** The segment's revision and log position that this was taken at. */
  revision: number;
  position: string | number;
  included: readonly string[];
  excluded: readonly string[];
  rules: readonly SegmentRule[];
}>;

/** Undefined for a deleted segment: whether anybody is in it is unknown. */
export const segmentDefinitionOf = (
  segment: ExistingSegment,
  { revision, position }: Readonly<{ revision: number; position: Position }>,
): SegmentDefinition | undefined => {
  if (segment.status === 'deleted') return undefined;
  const { key, included, excluded, rules } = segment;
  return { key, revision, position: positionInJson(position), included, excluded, rules };
};

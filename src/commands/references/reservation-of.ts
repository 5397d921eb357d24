import { type Node, type Reference } from '../../domain/dependencies/events.js';
import {
  addedReferences,
  referencesOfFlag,
  referencesOfSegment,
} from '../../domain/dependencies/references.js';
import { type Flag } from '../../domain/flag/flag.js';
import { type Segment } from '../../domain/segment/segment.js';
import { type NodeFacts } from './loaded-nodes.js';
import { type Reservation } from './reservations.js';

/** A flag as others may know it. */
export const factsOfFlag = (flag: Flag): NodeFacts => ({
  status: flag.status,
  references: referencesOfFlag(flag),
  variants: flag.status === 'absent' ? [] : flag.variants.map(({ name }) => name),
});

/** A segment as others may know it. */
export const factsOfSegment = (segment: Segment): NodeFacts => ({
  status: segment.status,
  references: referencesOfSegment(segment),
  variants: [],
});

const isActive = ({ status }: NodeFacts): boolean => status === 'active';

/** Variants that a flag which stays active has no more. */
const variantsGone = (before: NodeFacts, after: NodeFacts): readonly string[] =>
  isActive(before) && isActive(after)
    ? before.variants.filter((variant) => !after.variants.includes(variant))
    : [];

const added = (before: NodeFacts, after: NodeFacts): readonly Reference[] =>
  addedReferences(before.references, after.references);

/**
 * What a change of a node, decided on this revision, has to reserve; undefined when it neither adds a reference nor
 * takes away what others may refer to: then nobody else's decision can be wrong because of it.
 */
export const reservationOf = (
  node: Node,
  revision: number,
  [before, after]: readonly [NodeFacts, NodeFacts],
): Reservation | undefined => {
  const removes = isActive(before) && !isActive(after);
  const removedVariants = variantsGone(before, after);
  const isNeeded = removes || removedVariants.length > 0 || added(before, after).length > 0;
  if (!isNeeded) return undefined;
  return {
    node,
    revision,
    requires: after.references,
    ...(removes && { removes }),
    ...(removedVariants.length > 0 && { removedVariants }),
  };
};

import { type Configuration } from '../flag/configuration.js';
import { type Flag } from '../flag/flag.js';
import { type Segment } from '../segment/segment.js';
import { usedSegments } from '../targeting/clause.js';
import { type Node, type Reference } from './events.js';

/** `flag:checkout` */
export const nodeId = ({ kind, key }: Node): string => `${kind}:${key}`;

/** For people: `flag 'checkout'`. */
export const nodeText = ({ kind, key }: Node): string => `${kind} '${key}'`;

const referenceId = (reference: Reference): string =>
  JSON.stringify([nodeId(reference), reference.environment, reference.variants]);

const different = (references: readonly Reference[]): readonly Reference[] => [
  ...new Map(references.map((reference) => [referenceId(reference), reference])).values(),
];

const ofConfiguration = (
  { rules = [], prerequisites = [] }: Configuration,
  environment: string | null,
): readonly Reference[] => [
  ...prerequisites.map(
    ({ flagKey: key, variants }) => ({ kind: 'flag', key, environment, variants }) as const,
  ),
  ...rules
    .flatMap(({ clauses }) => usedSegments(clauses))
    .map((key) => ({ kind: 'segment', key, environment }) as const),
];

/** What a flag refers to: an archived or deleted one to nothing. Its defaults count for every environment. */
export const referencesOfFlag = (flag: Flag): readonly Reference[] =>
  flag.status === 'active'
    ? different([
        ...ofConfiguration(flag.defaults, null),
        ...Object.entries(flag.environments).flatMap(([environment, configuration]) =>
          ofConfiguration(configuration, environment),
        ),
      ])
    : [];

/** What a segment refers to: a deleted one to nothing. */
export const referencesOfSegment = (segment: Segment): readonly Reference[] =>
  segment.status === 'active'
    ? different(
        segment.rules
          .flatMap(({ clauses }) => usedSegments(clauses))
          .map((key) => ({ kind: 'segment', key, environment: null })),
      )
    : [];

/** References of `after` that `before` has not got. */
export const addedReferences = (
  before: readonly Reference[],
  after: readonly Reference[],
): readonly Reference[] => {
  const known = new Set(before.map(referenceId));
  return after.filter((reference) => !known.has(referenceId(reference)));
};

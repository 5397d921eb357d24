import { type Event } from './decider.js';
import { type Configuration } from './flag/configuration.js';
import { type Flag } from './flag/flag.js';
import { type Segment } from './segment.js';
import { usedSegments } from './targeting/clause.js';

// Names and shapes are the storage format: add optional fields, never rename or re-mean.

/** What can refer to others and be referred to, in one project. */
export type Node = Readonly<{ kind: 'flag' | 'segment'; key: string }>;

/** That a node needs another one. */
export type Reference = Node &
  Readonly<{
    /** Key of the environment that it holds in; `null`: in all. */
    environment: string | null;
    /** For a prerequisite: the variants that it names. */
    variants?: readonly string[];
  }>;

/**
 * Taken before a change that adds references, or that takes away what others may refer to.
 * It counts until the node's own stream has moved past `revision`: the change is then in there, or can never be.
 */
export type DependencyReserved = Event<
  'DependencyReserved',
  {
    node: Node;
    /** Revision of the node's own stream, at which exactly the change is appended. */
    revision: number;
    /** All that the node refers to after the change. */
    requires: readonly Reference[];
    /** The node is deleted or archived. */
    removes?: true;
    /** Names of variants that the flag has no more. */
    removedVariants?: readonly string[];
  }
>;

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

/** The longest chain of flags by prerequisites, or of segments in segments: this many steps from one to the next. */
export const MAX_STEPS = 10;

/** Both directions, in what has been loaded. What was not loaded has no references here. */
export type Graph = Readonly<{
  /** What a node refers to, now or by a change that is under way. */
  below: (node: Node) => readonly Reference[];
  /** Who refers to a node, each with the reference that it has. */
  above: (node: Node) => readonly Reference[];
}>;

/** In the same environment; `null` stands for all of them, and so meets each. */
const isIn = (environment: string | null, reference: Reference): boolean =>
  environment === null || reference.environment === null || reference.environment === environment;

type Walk = Readonly<{
  next: (node: Node) => readonly Reference[];
  environment: string | null;
}>;

/** References to nodes of the same kind: only those can make a circle or a chain. */
const steps = ({ next, environment }: Walk, node: Node): readonly Reference[] =>
  next(node).filter((reference) => reference.kind === node.kind && isIn(environment, reference));

const pathTo = (walk: Walk, from: Node, goal: string, seen: Set<string>): readonly Node[] => {
  for (const next of steps(walk, from)) {
    const id = nodeId(next);
    if (id === goal) return [next];
    if (seen.has(id)) continue;
    seen.add(id);
    const rest = pathTo(walk, next, goal, seen);
    if (rest.length > 0) return [next, ...rest];
  }
  return [];
};

/** Steps of the longest chain from a node on. Circles, which nobody can have built, end it. */
const longest = (walk: Walk, node: Node, known: Map<string, number>): number => {
  const id = nodeId(node);
  const found = known.get(id);
  if (found !== undefined) return found;
  known.set(id, 0);
  const lengths = steps(walk, node).map((next) => 1 + longest(walk, next, known));
  const most = Math.max(0, ...lengths);
  known.set(id, most);
  return most;
};

const environmentsOf = (graph: Graph, node: Node): ReadonlySet<string | null> =>
  new Set(
    graph
      .below(node)
      .filter(({ kind }) => kind === node.kind)
      .map(({ environment }) => environment),
  );

/** The nodes of a circle through `node`, from the next one to itself; undefined when there is none. */
export const circleThrough = (graph: Graph, node: Node): readonly Node[] | undefined => {
  for (const environment of environmentsOf(graph, node)) {
    const path = pathTo({ next: graph.below, environment }, node, nodeId(node), new Set());
    if (path.length > 0) return path;
  }
  return undefined;
};

/** Steps of the longest chain that goes through `node`. */
export const longestThrough = (graph: Graph, node: Node): number => {
  const lengths = [...environmentsOf(graph, node)].map(
    (environment) =>
      longest({ next: graph.below, environment }, node, new Map()) +
      longest({ next: graph.above, environment }, node, new Map()),
  );
  return Math.max(0, ...lengths);
};

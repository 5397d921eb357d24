import { type Node, type Reference } from './events.js';
import { nodeId } from './references.js';

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

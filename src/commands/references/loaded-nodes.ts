import { type Graph, type Node, nodeId, type Reference } from '../../domain/references.js';
import { type Reservation, type Reservations } from './reservations.js';

/** What others may know of a node. */
export type NodeFacts = Readonly<{
  /** Others may refer to what is active. */
  status: 'absent' | 'active' | 'archived' | 'deleted';
  references: readonly Reference[];
  /** Names; of a flag. */
  variants: readonly string[];
}>;

/** A node as its own stream has it, up to a revision. */
export type NodeState = NodeFacts & Readonly<{ revision: number }>;

/** A node with the changes of it that are under way. */
export type LoadedNode = Readonly<{
  node: Node;
  state: NodeState;
  pending: readonly Reservation[];
}>;

export type LoadNode = (node: Node) => Promise<NodeState>;

/** Streams read at the same time. */
const BATCH = 16;

/** What it refers to, now or soon. */
export const referencesOf = ({ state, pending }: LoadedNode): readonly Reference[] => [
  ...state.references,
  ...pending.flatMap(({ requires }) => requires),
];

/** Nodes read from their streams as they stand after the reservations were read, each once. */
export const loadedNodes = (load: LoadNode, book: Reservations) => {
  const known = new Map<string, LoadedNode>();

  const one = async (node: Node): Promise<void> => {
    const state = await load(node);
    known.set(nodeId(node), { node, state, pending: book.pending(node, state.revision) });
  };

  const get = (node: Node): LoadedNode | undefined => known.get(nodeId(node));

  const ensure = async (nodes: readonly Node[]): Promise<readonly LoadedNode[]> => {
    const missing = new Map(nodes.filter((node) => !get(node)).map((node) => [nodeId(node), node]));
    const wanted = [...missing.values()];
    for (let next = 0; next < wanted.length; next += BATCH)
      await Promise.all(wanted.slice(next, next + BATCH).map(one));
    return nodes.flatMap((node) => get(node) ?? []);
  };

  /** Loads all that can be reached from these by `next`. */
  const reach = async (
    from: readonly Node[],
    next: (loaded: LoadedNode) => readonly Node[],
  ): Promise<void> => {
    const seen = new Set<string>();
    let front: readonly Node[] = from;
    while (front.length > 0) {
      const loaded = await ensure(front);
      for (const { node } of loaded) seen.add(nodeId(node));
      // Each once: many may refer to the same.
      const unseen = loaded.flatMap(next).filter((node) => !seen.has(nodeId(node)));
      front = [...new Map(unseen.map((node) => [nodeId(node), node])).values()];
    }
  };

  const graph: Graph = {
    below: (node) => {
      const loaded = get(node);
      return loaded === undefined ? [] : referencesOf(loaded);
    },
    above: (node) =>
      book.everDependants(node).flatMap((dependant) => {
        const loaded = get(dependant);
        const references = loaded === undefined ? [] : referencesOf(loaded);
        return references
          .filter((reference) => nodeId(reference) === nodeId(node))
          .map((reference) => ({ ...reference, ...dependant }));
      }),
  };

  return {
    graph,
    ensure,
    reach,
    /** Takes this for what the node is, instead of what its stream says. */
    assume: (loaded: LoadedNode): void => {
      known.set(nodeId(loaded.node), loaded);
    },
  };
};

export type LoadedNodes = ReturnType<typeof loadedNodes>;

import { type Event } from '../decider.js';

// Names and shapes are the storage format: add optional fields, never rename or re-mean.

/** What can refer to others and be referred to, in one project. */
export type Node = Readonly<{ kind: 'flag' | 'segment'; key: string }>;

/** That a node needs another one. */
export type Reference = Node &
  Readonly<{
    /** Key of the environment that it holds in; `null`: in all. */
    environment: string | null;
    /** Of a prerequisite: the variants that it names. */
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
    /** Of the node's own stream, which the change is appended to at exactly this revision. */
    revision: number;
    /** All that the node refers to after the change. */
    requires: readonly Reference[];
    /** The node is deleted or archived. */
    removes?: true;
    /** Names of variants that the flag has no more. */
    removedVariants?: readonly string[];
  }
>;

import { type Node, type Reference } from '../../domain/dependencies/events.js';
import { nodeId, nodeText } from '../../domain/dependencies/references.js';
import { type Json, sameJson } from '../../domain/json.js';
import { type Segment } from '../../domain/segment/segment.js';
import {
  type LoadedNode,
  loadedNodes,
  type LoadNode,
  referencesOf,
} from '../references/loaded-nodes.js';
import { type Reservations } from '../references/reservations.js';
import { environmentProtected } from './protected-changes.js';

const contentOf = (segment: Segment): Json =>
  segment.status === 'active'
    ? ([segment.included, segment.excluded, segment.rules] as Json)
    : null;

/** Whether a change of a segment changes who is in it. */
export const changesMembers = (before: Segment, after: Segment): boolean =>
  before.status === 'active' && !sameJson(contentOf(before), contentOf(after));

/** The first reference to one of these segments that counts in one of these environments. */
const useOf = (
  loaded: LoadedNode,
  segments: ReadonlySet<string>,
  environments: readonly string[],
): Reference | undefined =>
  referencesOf(loaded).find(
    (reference) =>
      segments.has(nodeId(reference)) &&
      (reference.environment === null || environments.includes(reference.environment)),
  );

/**
 * That no flag uses a segment in one of these environments, itself or through other segments. What a flag refers to
 * by its defaults counts in all.
 * @throws DomainError `environment-protected`
 */
export const requireOpenSegment = async (
  load: LoadNode,
  book: Reservations,
  { node, environments }: Readonly<{ node: Node; environments: readonly string[] }>,
): Promise<void> => {
  await book.refresh();
  const nodes = loadedNodes(load, book);
  const segments = new Set([nodeId(node)]);
  for (let front: readonly Node[] = [node]; front.length > 0;) {
    const users = await nodes.ensure(front.flatMap(book.everDependants));
    front = [];
    for (const user of users) {
      const use = useOf(user, segments, environments);
      if (use === undefined || segments.has(nodeId(user.node))) continue;
      if (user.node.kind === 'flag')
        throw environmentProtected(
          use.environment ?? environments.join(', '),
          `${nodeText(user.node)} uses ${nodeText(node)} there, which`,
        );
      segments.add(nodeId(user.node));
      front = [...front, user.node];
    }
  }
};

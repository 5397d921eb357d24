import { type Event } from '../../domain/decider.js';
import { type Flag } from '../../domain/flag/flag.js';
import { type Json, sameJson } from '../../domain/json.js';
import { type Project } from '../../domain/project.js';
import {
  addedReferences,
  type Node,
  nodeId,
  nodeText,
  type Reference,
  referencesOfFlag,
  referencesOfSegment,
} from '../../domain/references.js';
import { type Segment } from '../../domain/segment.js';
import { flagStream, segmentStream } from '../../domain/streams.js';
import { type Aggregates } from '../streams/aggregates.js';
import { type CommandOutcome, type CommandRequest } from '../streams/command.js';
import { type EventStore } from '../streams/event-store.js';
import { type FlagCommand } from '../flag/decider.js';
import { type SegmentCommand } from '../segment/decider.js';
import {
  type LoadedNode,
  loadedNodes,
  type LoadNode,
  type NodeFacts,
  referencesOf,
} from './loaded-nodes.js';
import { closedTo, environmentProtected, requireOpenFlag } from './protected-changes.js';
import { type Reservation, reservationBooks, type Reservations } from './reservations.js';
import { reserveReferences } from './reserve-references.js';

const contentOf = (segment: Segment): Json =>
  segment.status === 'active'
    ? ([segment.included, segment.excluded, segment.rules] as Json)
    : null;

/** Whether a change of a segment changes who is in it. */
const changesMembers = (before: Segment, after: Segment): boolean =>
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
const requireOpenSegment = async (
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

/** A flag as others may know it. */
const factsOfFlag = (flag: Flag): NodeFacts => ({
  status: flag.status,
  references: referencesOfFlag(flag),
  variants: flag.status === 'absent' ? [] : flag.variants.map(({ name }) => name),
});

/** A segment as others may know it. */
const factsOfSegment = (segment: Segment): NodeFacts => ({
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
const reservationOf = (
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

type Streams = Readonly<{ flagStreams: Aggregates<Flag>; segmentStreams: Aggregates<Segment> }>;

type AnyRequest = CommandRequest<FlagCommand | SegmentCommand>;

/**
 * What the handlers of flags and segments make sure of before they append, over one event store: that protected
 * environments are served as before, unless the sender may change that, and that references lead somewhere.
 */
export const referencesOver = (store: EventStore, { flagStreams, segmentStreams }: Streams) => {
  const loadNode =
    (projectId: string, assumed?: AnyRequest['assumedSegments']): LoadNode =>
    async ({ kind, key }) => {
      if (kind === 'flag') {
        const { state, revision } = await flagStreams.load(flagStream(projectId, key), 0);
        return { ...factsOfFlag(state), revision };
      }
      const { state, revision } = await segmentStreams.load(segmentStream(projectId, key), 0);
      return { ...factsOfSegment(assumed?.get(key) ?? state), revision };
    };
  const bookOf = reservationBooks(store);
  const reserve = reserveReferences({ store, bookOf, loadNode });

  const reserveChange = async (
    { command, metadata, dryRun = false, signal, assumedSegments }: AnyRequest,
    node: Node,
    { revision, change }: Readonly<{ revision: number; change: readonly [NodeFacts, NodeFacts] }>,
  ): Promise<void> => {
    const reservation = reservationOf(node, revision, change);
    if (reservation === undefined) return;
    const { projectId } = command.data;
    const assumed = assumedSegments && { assumedSegments };
    await reserve({ projectId, reservation, metadata, dryRun, signal, ...assumed });
  };

  return {
    ofFlag: async (
      request: CommandRequest<FlagCommand>,
      { revision, before, after }: CommandOutcome<Flag, Event>,
      project: Project,
    ): Promise<void> => {
      requireOpenFlag(closedTo(request.grants, project), { before, after });
      const node = { kind: 'flag', key: request.command.data.flagKey } as const;
      const change = [factsOfFlag(before), factsOfFlag(after)] as const;
      await reserveChange(request, node, { revision, change });
    },
    ofSegment: async (
      request: CommandRequest<SegmentCommand>,
      { revision, before, after }: CommandOutcome<Segment, Event>,
      project: Project,
    ): Promise<void> => {
      const { projectId, segmentKey } = request.command.data;
      const node = { kind: 'segment', key: segmentKey } as const;
      const environments = closedTo(request.grants, project);
      if (environments.length > 0 && changesMembers(before, after))
        await requireOpenSegment(loadNode(projectId), bookOf(projectId), { node, environments });
      const change = [factsOfSegment(before), factsOfSegment(after)] as const;
      await reserveChange(request, node, { revision, change });
    },
  };
};

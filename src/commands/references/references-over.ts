import { type Event } from '../../domain/decider.js';
import { type Node } from '../../domain/dependencies/events.js';
import { type Flag } from '../../domain/flag/flag.js';
import { type Project } from '../../domain/project/project.js';
import { type Segment } from '../../domain/segment/segment.js';
import { flagStream, segmentStream } from '../../domain/streams.js';
import { type Aggregates } from '../aggregates.js';
import { type CommandOutcome, type CommandRequest } from '../command.js';
import { type EventStore } from '../event-store.js';
import { type FlagCommand } from '../flag-decider.js';
import { type SegmentCommand } from '../segment-decider.js';
import { changesMembers, requireOpenSegment } from '../protection/protected-segments.js';
import { closedTo, requireOpenFlag } from '../protection/protected-changes.js';
import { type LoadNode, type NodeFacts } from './loaded-nodes.js';
import { factsOfFlag, factsOfSegment, reservationOf } from './reservation-of.js';
import { reservationBooks } from './reservation-books.js';
import { reserveReferences } from './reserve-references.js';

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

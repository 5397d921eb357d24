import { type Event } from '../../domain/decider.js';
import { type Node } from '../../domain/dependencies/events.js';
import { type Flag } from '../../domain/flag/flag.js';
import { type Segment } from '../../domain/segment/segment.js';
import { flagStream, segmentStream } from '../../domain/streams.js';
import { type Aggregates } from '../aggregates.js';
import { type CommandOutcome, type CommandRequest } from '../command.js';
import { type EventStore } from '../event-store.js';
import { type FlagCommand } from '../flag-decider.js';
import { type SegmentCommand } from '../segment-decider.js';
import { type LoadNode, type NodeFacts } from './loaded-nodes.js';
import { factsOfFlag, factsOfSegment, reservationOf } from './reservation-of.js';
import { reserveReferences } from './reserve-references.js';

type Streams = Readonly<{ flagStreams: Aggregates<Flag>; segmentStreams: Aggregates<Segment> }>;

type AnyRequest = CommandRequest<FlagCommand | SegmentCommand>;

/** What the handlers of flags and segments do before they append, over one event store. */
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
  const reserve = reserveReferences({ store, loadNode });

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
    ): Promise<void> => {
      const node = { kind: 'flag', key: request.command.data.flagKey } as const;
      const change = [factsOfFlag(before), factsOfFlag(after)] as const;
      await reserveChange(request, node, { revision, change });
    },
    ofSegment: async (
      request: CommandRequest<SegmentCommand>,
      { revision, before, after }: CommandOutcome<Segment, Event>,
    ): Promise<void> => {
      const node = { kind: 'segment', key: request.command.data.segmentKey } as const;
      const change = [factsOfSegment(before), factsOfSegment(after)] as const;
      await reserveChange(request, node, { revision, change });
    },
  };
};

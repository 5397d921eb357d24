import { DomainError } from '../../domain/decider.js';
import { type Metadata } from '../../domain/recorded.js';
import { type DependencyReserved } from '../../domain/references.js';
import { dependenciesStream } from '../../domain/streams.js';
import { type CommandRequest } from '../streams/command.js';
import { appendEvents, type EventStore, WrongRevision } from '../streams/event-store.js';
import { streamQueue } from '../streams/stream-queue.js';
import { requireReferable, requireUnused } from './check-references.js';
import { loadedNodes, type LoadNode } from './loaded-nodes.js';
import { type Reservation, type ReservationBooks, type Reservations } from './reservations.js';

/** How often it is checked again after another process reserved first. */
const MAX_ATTEMPTS = 20;

type AssumedSegments = CommandRequest<never>['assumedSegments'] & object;

export type ReserveRequest = Readonly<{
  projectId: string;
  reservation: Reservation;
  metadata: Metadata;
  /** Only check. */
  dryRun: boolean;
  /** Segments of which this holds instead of what their streams say; of a dry run. */
  assumedSegments?: AssumedSegments;
  /** After this it is not started any more. */
  signal: AbortSignal;
}>;

type Deps = Readonly<{
  store: EventStore;
  bookOf: ReservationBooks;
  /** A node of a project as its stream stands, read after the call began. */
  loadNode: (projectId: string, assumed?: AssumedSegments) => LoadNode;
}>;

/** @throws DomainError */
const check = async (
  load: LoadNode,
  book: Reservations,
  reservation: Reservation,
): Promise<void> => {
  const { node, requires, revision } = reservation;
  const nodes = loadedNodes(load, book);
  // Of all changes that are decided on this revision at most one is appended: the node's others do not count here.
  const state = { revision, status: 'active' as const, references: requires, variants: [] };
  nodes.assume({ node, state, pending: [] });
  await requireReferable(nodes, book, reservation);
  await requireUnused(nodes, book, reservation);
};

/**
 * Reserves what a node is about to refer to, or to take away, in the one stream in which all of a project's
 * reservations are in order. docs/adr/0011-references-between-streams.md says why that is enough.
 */
export const reserveReferences = ({ store, bookOf, loadNode }: Deps) => {
  const inTurn = streamQueue();

  const tryOnce = async (stream: string, request: ReserveRequest): Promise<boolean> => {
    const { projectId, reservation, metadata, dryRun, assumedSegments } = request;
    const book = bookOf(projectId);
    // First the reservations, then the nodes: a change that is no longer pending is in what is read of its node.
    const expectedRevision = await book.refresh();
    await check(loadNode(projectId, assumedSegments), book, reservation);
    if (dryRun) return true;
    const event: DependencyReserved = { type: 'DependencyReserved', data: reservation };
    const firstIndex = expectedRevision + 1;
    try {
      const to = { stream, events: [event], expectedRevision, metadata, firstIndex };
      await appendEvents(store, to);
      return true;
    } catch (error) {
      if (error instanceof WrongRevision) return false;
      throw error;
    }
  };

  /** @throws DomainError when it is refused, or `concurrent-change` when others are always first */
  return async (request: ReserveRequest): Promise<void> => {
    const stream = dependenciesStream(request.projectId);
    await inTurn(stream, request.signal, async () => {
      for (let attempts = 0; attempts < MAX_ATTEMPTS; attempts += 1)
        if (await tryOnce(stream, request)) return;
      throw new DomainError(
        'concurrent-change',
        'Other commands keep changing the same references; try again.',
      );
    });
  };
};

export type ReserveReferences = ReturnType<typeof reserveReferences>;

import { setTimeout } from 'node:timers/promises';
import { type Pool } from 'pg';
import { type Logger } from 'pino';
import { type EventStore } from '../commands/streams/event-store.js';
import { type Snapshots } from '../commands/streams/snapshots.js';
import { snapshotOf, snapshotQueue } from '../commands/streams/take-snapshots.js';
import { AGGREGATES, type Aggregate, type EventOf, type StateOf } from '../domain/aggregates.js';
import { type Flag } from '../domain/flag/flag.js';
import { isSealedFlag, isSealedSegment } from '../domain/personal/targeting-fields.js';
import { type Segment } from '../domain/segment.js';
import { type Category, parseStream } from '../domain/streams.js';
import { type MasterKey } from '../infrastructure/keys/master-key.js';
import { type PersonalData } from '../infrastructure/personal-data/personal-data.js';
import { snapshotTable } from '../infrastructure/postgres/snapshot-table.js';

type Sources = Readonly<{
  pool: Pool;
  masterKey: MasterKey;
  /** With personal texts as they are in the log. */
  sealed: EventStore;
  personal: Pick<PersonalData, 'revealed'>;
  log: Pick<Logger, 'warn'>;
}>;

const isSealed = {
  flag: (flag: Flag): boolean => flag.status === 'absent' || isSealedFlag(flag),
  segment: (segment: Segment): boolean => segment.status === 'absent' || isSealedSegment(segment),
};

/** Snapshots of the streams that may get long, for commands, which see personal texts opened. */
export const openSnapshots = ({ pool, masterKey, sealed, personal, log }: Sources) => {
  const table = snapshotTable(pool, masterKey, (error, stream) => {
    log.warn({ err: error, stream }, 'a snapshot of a stream cannot be used');
  });
  const stopping = new AbortController();
  const { signal } = stopping;
  const pause = async (ms: number): Promise<void> => setTimeout(ms, undefined, { signal });
  const from = { store: sealed, table, pause };
  const taking = <A extends Aggregate>(
    aggregate: A,
    isWholeSealed?: (state: StateOf<A>) => boolean,
  ) => snapshotOf<StateOf<A>, EventOf<A>>(from, AGGREGATES[aggregate], isWholeSealed);
  const takers: Partial<Record<Category, (stream: string) => Promise<void>>> = {
    flag: taking('flag', isSealed.flag),
    segment: taking('segment', isSealed.segment),
    project: taking('project'),
    session: taking('session'),
    refusals: taking('refusals'),
  };
  const takeOne = async (stream: string): Promise<void> =>
    takers[parseStream(stream)?.category ?? 'operations']?.(stream);
  const queue = snapshotQueue(takeOne, pause, (error, stream) => {
    if (!signal.aborted) log.warn({ err: error, stream }, 'no snapshot of a stream was taken');
  });
  const snapshots: Snapshots = {
    load: async <S>(stream: string) => {
      const snapshot = await table.load<S>(stream);
      const { organizationId = '' } = parseStream(stream) ?? {};
      return (
        snapshot && { ...snapshot, state: await personal.revealed(organizationId, snapshot.state) }
      );
    },
    take: queue.take,
  };
  return {
    snapshots,
    /** The one that is being taken is given up. */
    stop: async (): Promise<void> => {
      stopping.abort();
      await queue.ended();
    },
  };
};

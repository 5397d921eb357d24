import { earlier, LAST_POSITION, type Position } from '../../domain/position.js';
import {
  SKIPPED_EVENTS_STREAM,
  skippedBy,
  type SkippedEvents,
  skippedEvents,
} from '../../domain/skipped-events.js';
import { applyBatch } from '../apply-batch.js';
import { BEGINNING, type Checkpoint, moveCheckpoint } from '../checkpoint.js';
import { type EventLog } from '../event-log.js';
import { type Poison, type PoisonEvent, poisonOf } from '../fold/poison.js';
import { trackedStreams } from '../fold/tracked-streams.js';
import { type Table, type TableRows } from '../projection.js';
import { READ_MODEL } from '../read-models.js';
import { eventsUpTo } from '../refold-stream.js';
import { type BulkRows, bulkRows, copyLines } from './bulk-rows.js';
import {
  type Comparison,
  type CopySink,
  type Lost,
  type RebuildDatabase,
} from './rebuild-database.js';

type RebuildPhase = 'reading' | 'indexing' | 'comparing' | 'swapping' | 'done';

/** How far it is; positions are log positions. */
export type RebuildProgress = {
  phase: RebuildPhase;
  events: number;
  position: Position;
  head: Position;
};

type RebuildOptions = Readonly<{
  database: RebuildDatabase;
  eventLog: EventLog;
  /** Puts the rebuilt read model in place also when it differs from the serving one. */
  replacesDifferent?: boolean;
  /**
   * The log ends before events that the serving read model holds, so that there is no position to compare the two at.
   * `goOn`: the rebuilt one is put in place without them.
   */
  older?: 'list' | 'goOn' | undefined;
  signal: AbortSignal;
  /** Changed in place as the rebuild goes on. */
  progress: RebuildProgress;
}>;

/** Applies the log to the rebuilt read model like live, from where it stands up to `until`. */
const follower = ({ database, eventLog, signal, progress }: RebuildOptions) => {
  const streams = trackedStreams(eventLog);
  let checkpoint: Checkpoint = BEGINNING;
  const standAt = async (position: Position, recordedAt = checkpoint.recordedAt): Promise<void> => {
    if (position <= checkpoint.position) return;
    const to = { position, recordedAt, applied: position };
    await database.next.transaction((tx) => moveCheckpoint(tx, READ_MODEL, checkpoint, to));
    checkpoint = to;
  };
  return {
    position: (): Position => checkpoint.position,
    standAt,
    to: async (until: Position): Promise<PoisonEvent | undefined> => {
      if (checkpoint.position >= until) return undefined;
      const after = checkpoint.position < 0 ? null : checkpoint.position;
      for await (const batch of eventLog.readForward(after, signal)) {
        const events = batch.events.filter(({ position }) => position <= until);
        const position = earlier(batch.position, until);
        const applied = await applyBatch(database.next, streams, checkpoint, {
          ...batch,
          events,
          position,
        });
        checkpoint = applied.checkpoint;
        progress.events += applied.events;
        progress.position = checkpoint.position;
        if (applied.poison !== undefined) return applied.poison;
        if (position >= until) break;
      }
      signal.throwIfAborted();
      return undefined;
    },
  };
};

const copySinks = ({ copy }: RebuildDatabase) => {
  const sinks = new Map<Table, CopySink>();
  let writing: Promise<unknown> = Promise.resolve();
  return {
    /** Resolves when the rows before these are on their way: Postgres stores some while the next are made. */
    write: async (all: readonly TableRows[]): Promise<void> => {
      const filled = all
        .filter(({ rows }) => rows.length > 0)
        .map(({ table, rows }) => ({ table, lines: copyLines(table, rows) }));
      await writing;
      writing = Promise.all(
        filled.map(({ table, lines }) => {
          const sink = sinks.get(table) ?? copy(table);
          sinks.set(table, sink);
          return sink.write(lines);
        }),
      );
      // Whoever writes or ends next is told; until then a failure must not count as unhandled.
      writing.catch(() => undefined);
    },
    end: async (): Promise<void> => {
      await writing;
      for (const sink of sinks.values()) await sink.end();
    },
  };
};

/** Reads the log up to `until` into rows that are written once. */
const load = async (
  { database, eventLog, signal, progress }: RebuildOptions,
  rows: BulkRows,
  until: Position,
): Promise<void> => {
  const sinks = copySinks(database);
  for await (const batch of eventLog.readForward(null, signal)) {
    const added = await rows.add(batch.events.filter(({ position }) => position <= until));
    await sinks.write(added.rows);
    progress.events += added.events;
    progress.position = earlier(batch.position, until);
    if (batch.position >= until) break;
  }
  signal.throwIfAborted();
  await sinks.write(rows.end());
  await sinks.end();
};

export type RebuildReport = Readonly<{
  events: number;
  position: Position;
  /** False when the two differ: the old one goes on serving. */
  isSwapped: boolean;
  /** Undefined when the serving read model was empty or behind the rebuilt one. */
  comparison?: Comparison;
  /** Given for a log that was older: what it does not have any more, and how many checkpoints of the trail that voids. */
  lost?: Lost & Readonly<{ checkpoints: number }>;
  /** The event in front of which the rebuilt read model stops, when there is one. */
  poison?: Poison;
}>;

/** An event that the serving read model holds cannot be applied any more: it goes on serving. */
class RebuildImpossible extends Error {
  override readonly name = 'RebuildImpossible';
}

/** Only where the serving read model has not been may a rebuild stop. */
const checkPoison = (poison: PoisonEvent | undefined, livePosition: Position): void => {
  if (poison === undefined || poison.event.position > livePosition) return;
  const { position, stream, revision, error } = poisonOf(READ_MODEL, poison);
  throw new RebuildImpossible(
    `Event ${revision} of '${stream}' (position ${position}) cannot be applied: ${error}`,
  );
};

/** Events that the log says are skipped, up to a position. */
const skippedUpTo = async (log: EventLog, position: Position): Promise<SkippedEvents> => {
  const said = await eventsUpTo(log, SKIPPED_EVENTS_STREAM, [0, position]);
  return skippedEvents(said.flatMap((event) => skippedBy(event) ?? []));
};

/** From the beginning of the log to where the serving read model stands, or to the log's end. */
const fill = async (options: RebuildOptions) => {
  const { database, eventLog, progress, older } = options;
  progress.head = await eventLog.head();
  await database.create();
  const live = await database.livePosition();
  const until = live < 0 || older !== undefined ? progress.head : live;
  const rows = bulkRows(eventLog, await skippedUpTo(eventLog, until));
  await load(options, rows, until);
  progress.phase = 'indexing';
  await database.index();
  const follow = follower(options);
  await follow.standAt(progress.position, rows.recordedAt());
  return follow;
};

/** Without what the log does not have any more. */
const withLosses = async (options: RebuildOptions): Promise<RebuildReport> => {
  const { database, progress, older } = options;
  const follow = await fill(options);
  progress.phase = 'comparing';
  let poison = await follow.to(LAST_POSITION);
  const lost = await database.lost();
  const isSwapped = older === 'goOn';
  let checkpoints = 0;
  if (isSwapped) {
    progress.phase = 'swapping';
    checkpoints = await database.setLostAside();
    await database.swap(async () => {
      poison ??= await follow.to(LAST_POSITION);
    });
    await database.dropOld();
  } else await database.discard();
  progress.phase = 'done';
  const { events } = progress;
  const report = { events, position: follow.position(), isSwapped, lost: { ...lost, checkpoints } };
  return { ...report, ...(poison && { poison: poisonOf(READ_MODEL, poison) }) };
};

/**
 * Builds the read model anew from the log next to the serving one, compares the two at one position, and puts the
 * new one in its place: when they are equal, or could not be compared, or `replacesDifferent` says so. Never overtakes
 * a serving one that moves, so that there is such a position; then goes on to the end of the log, in case the serving
 * one does not move. With a log that is `older` there is nothing to compare: what is lost is listed.
 * @throws RebuildImpossible
 */
export const rebuildReadModel = async (options: RebuildOptions): Promise<RebuildReport> => {
  const { database, progress, replacesDifferent = false } = options;
  if (options.older !== undefined) return withLosses(options);
  const follow = await fill(options);
  const stop: { poison?: PoisonEvent | undefined } = {};

  const align = async (livePosition: Position): Promise<void> => {
    stop.poison ??= await follow.to(livePosition);
    checkPoison(stop.poison, livePosition);
    await follow.standAt(livePosition);
  };
  progress.phase = 'comparing';
  await align(await database.livePosition());
  const same: { position: Position } = { position: -1 };
  const comparison = await database.compare(async (livePosition) => {
    await align(livePosition);
    if (livePosition === follow.position()) same.position = livePosition;
  });

  const isCompared = same.position >= 0;
  const isSwapped = !isCompared || comparison.differences.length === 0 || replacesDifferent;
  if (isSwapped) {
    progress.phase = 'swapping';
    await database.swap(async (livePosition) => {
      await align(livePosition);
      stop.poison ??= await follow.to(LAST_POSITION);
    });
    await database.dropOld();
  } else await database.discard();
  progress.phase = 'done';
  return {
    events: progress.events,
    position: follow.position(),
    isSwapped,
    ...(isCompared && { comparison }),
    ...(stop.poison && { poison: poisonOf(READ_MODEL, stop.poison) }),
  };
};

import { LAST_POSITION, type Position } from '../domain/position.js';
import { type Poison, poisonOf, type PoisonEvent } from './fold/poison.js';
import { READ_MODEL } from './index.js';
import { bulkRows } from './rebuild/bulk-rows.js';
import { follower } from './rebuild/follow.js';
import { load } from './rebuild/load.js';
import { type Comparison } from './rebuild/rebuild-database.js';
import { type RebuildOptions } from './rebuild/rebuild-options.js';

export type RebuildReport = Readonly<{
  events: number;
  position: Position;
  /** False when the two differ: the old one goes on serving. */
  isSwapped: boolean;
  /** Undefined when the serving read model was empty or behind the rebuilt one. */
  comparison?: Comparison;
  /** The event in front of which the rebuilt read model stops, when there is one. */
  poison?: Poison;
}>;

/** An event that the serving read model holds cannot be applied any more: it goes on serving. */
export class RebuildImpossible extends Error {
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

/**
 * Builds the read model anew from the log next to the serving one, compares the two at one position, and puts the
 * new one in its place: when they are equal, or could not be compared, or `replacesDifferent` says so. Never overtakes
 * a serving one that moves, so that there is such a position; then goes on to the end of the log, in case the serving
 * one does not move.
 * @throws RebuildImpossible
 */
export const rebuildReadModel = async (options: RebuildOptions): Promise<RebuildReport> => {
  const { database, eventLog, progress, replacesDifferent = false } = options;
  progress.head = await eventLog.head();
  await database.create();
  const live = await database.livePosition();
  const rows = bulkRows(eventLog);
  const until = live < 0 ? LAST_POSITION : live;
  await load(options, rows, until);
  const stop: { poison?: PoisonEvent | undefined } = {};

  progress.phase = 'indexing';
  await database.index();
  const follow = follower(options);
  await follow.standAt(progress.position, rows.recordedAt());

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

import { statSync } from 'node:fs';
import type { Database } from './schema.js';

/** SQLite moves the write-ahead log into the file when it has this many pages, and keeps failures to itself. */
const CHECKPOINT_PAGES = 4000;

/** Twice what it should be: a write-ahead log that is longer was not moved. */
const WATCHED_BYTES = 2 * CHECKPOINT_PAGES * 4096;

/** After a long transaction the write-ahead log is cut back to this. */
const KEPT_BYTES = WATCHED_BYTES;

/**
 * Lets SQLite write checkpoints and returns what is to be called after each commit: it says why a write-ahead log
 * grows that should not. Nothing is lost by that, but it needs the room of the disk.
 */
export const checkpointWatch = (
  db: Database,
  file: string,
  warn: (text: string) => void,
): (() => void) => {
  for (const setting of [
    `wal_autocheckpoint = ${CHECKPOINT_PAGES}`,
    `journal_size_limit = ${KEPT_BYTES}`,
  ])
    db.prepare(`pragma ${setting}`).raw().all();
  const checkpoint = db.prepare('pragma wal_checkpoint(passive)');
  const wal = `${file}-wal`;
  let limit = WATCHED_BYTES;
  return () => {
    const size = statSync(wal, { throwIfNoEntry: false })?.size ?? 0;
    if (size <= WATCHED_BYTES) limit = WATCHED_BYTES;
    if (size <= limit) return;
    limit = size + WATCHED_BYTES;
    try {
      checkpoint.raw().all();
    } catch (error) {
      warn(
        `${wal} grows and is ${Math.round(size / 1e6)} MB long, because ${file} cannot be written: ${String(error)}. Nothing is lost; look for errors of the disk in the system's log.`,
      );
    }
  };
};

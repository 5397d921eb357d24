import { setTimeout as delay } from 'node:timers/promises';
import { DomainError } from '../../domain/decider.js';
import { type Position } from '../../domain/position.js';
import { type Database } from '../database.js';
import { type IsOthersOnly, noOthers, readPosition, type ReadPosition } from './read-position.js';

const DEFAULT_TIMEOUT_MS = 2000;
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 50;

const notReached = (wanted: Position, { position, recordedAt }: ReadPosition): DomainError => {
  const since = recordedAt === null ? 'has nothing yet' : `has all up to ${recordedAt}`;
  return new DomainError(
    'position-not-reached',
    `The read model stands at position ${position} and ${since}; it is ${BigInt(wanted) - BigInt(position)} behind position ${wanted}. Try again shortly.`,
  );
};

/** `timeoutMs`: how long to wait at most. */
type WaitOptions = Readonly<{ timeoutMs?: number; isOthersOnly?: IsOthersOnly }>;

/**
 * Read-your-writes: resolves once the read model holds all of ours up to `wanted`: a position a command answered with,
 * or the end of the log.
 * @throws DomainError position-not-reached
 */
export const waitForPosition =
  (db: Database, { timeoutMs = DEFAULT_TIMEOUT_MS, isOthersOnly = noOthers }: WaitOptions = {}) =>
  async (wanted: Position): Promise<ReadPosition> => {
    const deadline = performance.now() + timeoutMs;
    let lookedFrom: Position | undefined;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      const reached = await readPosition(db)();
      if (reached.position >= wanted) return reached;
      // Ours comes within milliseconds; what does not may be an event of others, which no projection reaches.
      if (pauseMs === LONGEST_PAUSE_MS && lookedFrom !== reached.position) {
        lookedFrom = reached.position;
        if (await isOthersOnly(reached.position, wanted)) return reached;
      }
      if (performance.now() + pauseMs > deadline) throw notReached(wanted, reached);
      await delay(pauseMs);
    }
  };

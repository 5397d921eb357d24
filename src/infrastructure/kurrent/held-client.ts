import { setMaxListeners } from 'node:events';
import { type Readable } from 'node:stream';
import { isConnectionLost, isNotReady, type KurrentClient } from './client.js';
import { pause } from '../waiting.js';

/** Why a call ended that the event store had not answered: its client was given up. */
export class ClientGivenUp extends Error {
  override readonly name = 'ClientGivenUp';
}

/** A client that answered. Whoever uses it ends its own streams when `signal` aborts, and tells what it sees. */
export type Lease = Readonly<{
  client: KurrentClient;
  /** Aborts, with the reason, when the client is given up: before its calls end, and they may end as if all was read. */
  signal: AbortSignal;
  /** The client brought something. */
  heard: () => void;
  /** A call failed: the client is given up when the error says that the connection is lost. */
  failed: (error: unknown) => void;
}>;

/** Ends a stream with an error when its client is given up: by itself it would end as if all had been read. */
export const tieToLease = (stream: Readable, { signal }: Lease): void => {
  const end = (): void => {
    stream.destroy(signal.reason as Error);
  };
  if (signal.aborted) end();
  signal.addEventListener('abort', end, { once: true });
  stream.once('close', () => {
    signal.removeEventListener('abort', end);
  });
};

/** The client's own promise may never settle; what matters, that its appends fail, comes at once. */
const LONGEST_CLOSE_MS = 250;

/** A node that is not ready for longer may lead no more: gossip is asked anew then, but not at every refusal. */
const PATIENCE_MS = 2_000;

/** Keeps count of what a client owes. */
export const holdClient = (client: KurrentClient) => {
  const beganAt = performance.now();
  const over = new AbortController();
  // One for each call under way, of which there may be many.
  setMaxListeners(0, over.signal);
  let owed = 0;
  let ending: Promise<void> | undefined;
  /** Gives the client up: first whoever uses it is told, then its calls are ended. */
  const end = (reason: Error): Promise<void> => {
    over.abort(reason);
    ending ??= Promise.race([client.close().catch(() => undefined), pause(LONGEST_CLOSE_MS)]);
    return ending;
  };
  return {
    client,
    signal: over.signal,
    end,
    heard: (): void => {
      owed = 0;
    },
    failed: (error: unknown): void => {
      const isStale = isNotReady(error) && performance.now() - beganAt > PATIENCE_MS;
      if (isConnectionLost(error) || isStale) void end(error as Error);
    },
    /** An answer has been owed for one beat more. @returns for how many without anything */
    owes: (): number => {
      owed += 1;
      return owed;
    },
  };
};

export type HeldClient = ReturnType<typeof holdClient>;

import { EventStoreUnavailable } from '../../commands/streams/event-store.js';
import { connect, greeting, unanswered } from './connect.js';
import { parseConnectionString } from './connection-string.js';
import { ClientGivenUp, type HeldClient, type Lease } from './held-client.js';
import { askForAnswer } from './client.js';
import { streamNames } from './decode.js';
import { tlsFilesOf } from './tls-files.js';
import { pause } from '../waiting.js';

/** Called once at every change of state, in pino's shape. */
export type ConnectionLog = Readonly<
  Record<'info' | 'warn', (details: object, text: string) => void>
>;

export type ConnectionOptions = Readonly<{
  /** How long one call to the event store may take. Milliseconds. @defaultValue 2000 */
  timeoutMs?: number;
  /** NODE_EXTRA_CA_CERTS. */
  extraCaFile?: string | undefined;
  log?: ConnectionLog;
  /** What the names of this installation's streams begin with, before a dot. @defaultValue none */
  prefix?: string | undefined;
}>;

const DEFAULT_TIMEOUT_MS = 2_000;

/** How often the client in use is asked whether it still answers. */
const BEAT_MS = 750;
/** After this many beats without anything from it, while it owes an answer, it is given up. */
const SILENT_BEATS = 3;

const unavailable = (reason: unknown): EventStoreUnavailable =>
  new EventStoreUnavailable('The event store cannot be reached.', { cause: reason });

/** Asks again and again. Settles when the client is given up, and its calls have ended. */
const watch = async (held: HeldClient): Promise<void> => {
  const { client, signal, end } = held;
  let isAsking = false;
  const ask = async (): Promise<void> => {
    isAsking = true;
    await askForAnswer(client).then(held.heard, held.failed);
    isAsking = false;
  };
  const isOwed = (): boolean => isAsking;
  while (!signal.aborted) {
    if (!isOwed()) void ask();
    else if (held.owes() >= SILENT_BEATS) await end(unanswered());
    await pause(BEAT_MS, { signal, ref: false });
  }
  await end(unanswered());
};

/** Resolves at the next turn, or after so long. */
const turning = () => {
  const waiting: (() => void)[] = [];
  return {
    turned: (): void => {
      for (const resume of waiting.splice(0)) resume();
    },
    next: async (withinMs: number): Promise<void> => {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        timer = setTimeout(resolve, withinMs);
      });
      clearTimeout(timer);
    },
  };
};

/**
 * The one holder of the client of an event store. A client that brings nothing while it owes an answer is given up and
 * another made: it would wait without end for a connection that is never finished, and not notice a dead one for long.
 * @throws InvalidConnectionString
 */
export const kurrentConnection = (url: string, options: ConnectionOptions = {}) => {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, extraCaFile, log, prefix } = options;
  const settings = parseConnectionString(url);
  const target = { settings, tls: tlsFilesOf(settings, extraCaFile) };
  const closing = new AbortController();
  const { turned, next } = turning();
  let current: HeldClient | undefined;
  /** Why there is no client: set after the first attempt that failed, or is not answered soon. */
  let fault: Error | undefined;
  /** What was said since there was one. */
  const said = new Set<string>();
  /** Before the first answer those who wait for it say why there is none. */
  let hasAnswered = false;
  const isClosed = (): boolean => closing.signal.aborted;

  const blame = (error: Error): void => {
    if (hasAnswered && !said.has(error.message) && !isClosed())
      log?.warn({ err: error }, 'the event store cannot be used; trying again');
    said.add(error.message);
    fault = error;
    turned();
  };
  const blameSilence = (): void => {
    if (fault === undefined) blame(unanswered());
  };

  const keep = async (): Promise<void> => {
    for (;;) {
      const overdue = setTimeout(blameSilence, timeoutMs).unref();
      const held = await connect(target, { signal: closing.signal, blame });
      clearTimeout(overdue);
      if (held === undefined) return;
      if (hasAnswered && fault !== undefined) log?.info({}, 'the event store answers');
      hasAnswered = true;
      fault = undefined;
      said.clear();
      current = held;
      turned();
      await watch(held);
      current = undefined;
      if (!isClosed())
        log?.warn({ err: held.signal.reason as unknown }, 'connecting to the event store anew');
    }
  };
  const keeping = keep();

  /** The client, when it is known whether there is one. @throws EventStoreUnavailable */
  const known = (): Lease | undefined => {
    if (current?.signal.aborted === false) return current;
    if (isClosed()) throw unavailable(unanswered());
    if (current === undefined && fault !== undefined) throw unavailable(fault);
    return undefined;
  };

  return {
    settings,
    /** What our streams are called there. */
    names: streamNames(prefix),
    timeoutMs,
    /**
     * The client that answers, until its signal aborts.
     * @throws EventStoreUnavailable at once when there is none, and after `timeoutMs` when that is not known
     */
    lease: async (): Promise<Lease> => {
      const limit = performance.now() + timeoutMs;
      for (;;) {
        const lease = known();
        if (lease !== undefined) return lease;
        const leftMs = limit - performance.now();
        if (leftMs <= 0) throw unavailable(unanswered());
        await next(leftMs);
      }
    },
    /** Why there is no client that answers; undefined while there is one, and while that is not known. */
    fault: (): Error | undefined => fault,
    /** Settles when a host greets. @throws HostUnusable, the words for people, when none does */
    greet: async (withinMs: number): Promise<void> => {
      await greeting(target, withinMs);
    },
    close: async (): Promise<void> => {
      closing.abort();
      turned();
      await current?.end(new ClientGivenUp('The connection is closed.'));
      await keeping;
    },
  };
};

export type KurrentConnection = ReturnType<typeof kurrentConnection>;

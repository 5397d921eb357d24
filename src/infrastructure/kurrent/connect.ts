import { setTimeout as delay } from 'node:timers/promises';
import { type KurrentHost, type KurrentSettings } from './connection-string.js';
import { greetHost, HostUnusable } from './greet-host.js';
import { ClientGivenUp, type HeldClient, holdClient } from './held-client.js';
import { askForAnswer, KurrentClient } from './kurrent-client.js';
import { type TlsFiles } from './tls-files.js';

/** While one attempt is unanswered another is begun this much later: an answer may never come, or be slow. */
const NEXT_ATTEMPT_MS = 1_500;
/** An attempt may take this long: name, connection, TLS, gossip, connection to the leader, TLS, question. */
const ATTEMPT_MS = 10_000;
/** After an attempt that failed. */
const RETRY_MS = 250;
/** Hosts that greet this much later than the first are not asked who leads. */
const LATE_HOST_MS = 250;

export type Target = Readonly<{ settings: KurrentSettings; tls: TlsFiles | undefined }>;

export const unanswered = (): Error => new ClientGivenUp('The event store does not answer.');

/** Keeps no process alive; ends early when the signal aborts. */
export const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  delay(ms, undefined, { ref: false, ...(signal && { signal }) }).catch(() => undefined);

/** The hosts that greet. @throws HostUnusable when none does: of the one that somebody has to put right, if any */
export const greeting = async (
  { settings, tls }: Target,
  timeoutMs = ATTEMPT_MS,
): Promise<readonly KurrentHost[]> => {
  const found: KurrentHost[] = [];
  const greetings = settings.hosts.map(async (host) => {
    await greetHost(host, { tls, timeoutMs });
    found.push(host);
  });
  try {
    await Promise.any(greetings);
  } catch (error) {
    const { errors } = error as AggregateError;
    throw errors.find((one) => one instanceof HostUnusable && one.isMistake) ?? errors[0];
  }
  await Promise.race([Promise.allSettled(greetings), pause(LATE_HOST_MS)]);
  return [...found];
};

let made = 0;

/** A client that answered. @throws when it cannot connect, when nothing comes, or when the signal aborts */
const attempt = async (target: Target, signal: AbortSignal): Promise<HeldClient> => {
  const hosts = await greeting(target);
  if (signal.aborted) throw unanswered();
  made += 1;
  const held = holdClient(
    new KurrentClient(target.settings, { hosts, tls: target.tls, nth: made }),
  );
  const limit = pause(ATTEMPT_MS, signal).then(() => {
    throw unanswered();
  });
  try {
    await Promise.race([askForAnswer(held.client), limit]);
    return held;
  } catch (error) {
    await held.end(unanswered());
    throw error;
  }
};

type Connecting = Readonly<{ signal: AbortSignal; blame: (error: Error) => void }>;

/**
 * Attempts side by side, until one is answered: one that waits for a handshake never ends by itself. `blame` is told
 * why one failed. @returns undefined when the signal aborts before
 */
export const connect = async (
  target: Target,
  { signal, blame }: Connecting,
): Promise<HeldClient | undefined> => {
  const enough = new AbortController();
  const over = AbortSignal.any([signal, enough.signal]);
  const found: HeldClient[] = [];
  let running = 0;
  const begin = async (): Promise<void> => {
    running += 1;
    try {
      const held = await attempt(target, over);
      if (over.aborted) await held.end(unanswered());
      else found.push(held);
      enough.abort();
    } catch (error) {
      if (!over.aborted) blame(error as Error);
    }
    running -= 1;
  };
  while (!over.aborted) {
    await Promise.race([begin(), pause(NEXT_ATTEMPT_MS, over)]);
    if (running === 0) await pause(RETRY_MS, over);
  }
  return found[0];
};

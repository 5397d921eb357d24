import pg from 'pg';
import { LOCKS } from './postgres.js';
import { pause } from '../waiting.js';

const STANDBY_POLL_MS = 500;
const HEARTBEAT_MS = 1_000;

/** The server ends a session that is silent for longer, so that a paused leader is replaced. */
const SILENCE_MS = 10_000;

/** While one process leads: `signal` aborts when that may no longer be so. */
export type Leading = Readonly<{
  signal: AbortSignal;
  /** @throws when this process does not lead any more */
  confirm: () => Promise<void>;
}>;

export type LeaderOptions = Readonly<{
  url: string;
  signal: AbortSignal;
  /** Why leadership was lost or could not be asked for. */
  onError?: (error: unknown) => void;
  /** Another process leads. */
  onStandby?: () => void;
}>;

const connect = async (url: string): Promise<pg.Client> => {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 1_000,
    query_timeout: 2_000,
    statement_timeout: 1_500,
    keepAlive: true,
    application_name: 'chronoflag leader',
    options: `-c idle_session_timeout=${SILENCE_MS}`,
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
};

/** Closing waits for the server's answer, which a half-open connection never brings. */
const closed = async (client: pg.Client): Promise<void> => {
  await Promise.race([client.end().catch(() => undefined), pause(1_000)]);
};

const acquire = async (
  client: pg.Client,
  { signal, onStandby }: LeaderOptions,
): Promise<boolean> => {
  while (!signal.aborted) {
    const { rows } = await client.query<{ locked: boolean }>(
      'select pg_try_advisory_lock($1) as locked',
      [LOCKS.projector],
    );
    if (rows[0]?.locked === true) return true;
    onStandby?.();
    await pause(STANDBY_POLL_MS, { signal });
  }
  return false;
};

const leadOnce = async (
  options: LeaderOptions,
  work: (leading: Leading) => Promise<void>,
): Promise<void> => {
  const { url, signal } = options;
  const client = await connect(url);
  const lost = new AbortController();
  const leading = AbortSignal.any([signal, lost.signal]);
  const confirm = async (): Promise<void> => {
    try {
      await client.query('select 1');
    } catch (error) {
      lost.abort(error);
      throw error;
    }
  };
  const beat = async (): Promise<void> => {
    const isOver = () => leading.aborted;
    while (!isOver()) {
      await pause(HEARTBEAT_MS, { signal: leading });
      if (!isOver()) await confirm();
    }
  };
  try {
    if (!(await acquire(client, options))) return;
    const done = work({ signal: leading, confirm }).finally(() => {
      lost.abort();
    });
    const [worked, held] = await Promise.allSettled([done, beat()]);
    if (held.status === 'rejected') throw held.reason;
    if (worked.status === 'rejected') throw worked.reason;
  } finally {
    lost.abort();
    await closed(client);
  }
};

/**
 * Runs `work` whenever this process is the one that leads, until abort. A session-level advisory lock decides;
 * when its connection fails, `work` is told to stop and is awaited before leadership is sought again.
 * What a stale leader may still have in flight must fail by itself: checkpoint compare-and-set.
 */
export const whileLeading = async (
  options: LeaderOptions,
  work: (leading: Leading) => Promise<void>,
): Promise<void> => {
  while (!options.signal.aborted) {
    await leadOnce(options, work).catch((error: unknown) => {
      if (!options.signal.aborted) options.onError?.(error);
    });
    await pause(STANDBY_POLL_MS, options);
  }
};

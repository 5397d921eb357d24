import { type ConnectionOptions, Queue, Worker } from 'bullmq';
import { agrees, type StoresVerification } from '../domain/verification.js';

/** Where BullMQ is, for its workers: it waits for Redis for as long as it takes. */
const jobConnection = (redisUrl: string): ConnectionOptions => {
  const { protocol, hostname, port, username, password, pathname } = new URL(redisUrl);
  return {
    host: hostname,
    port: Number(port === '' ? 6379 : port),
    db: Number(pathname.slice(1) || 0),
    ...(username !== '' && { username: decodeURIComponent(username) }),
    ...(password !== '' && { password: decodeURIComponent(password) }),
    ...(protocol === 'rediss:' && { tls: {} }),
    maxRetriesPerRequest: null,
  };
};

type VerificationJobOptions = Readonly<{
  redisUrl: string;
  /** First part of every Redis key. */
  prefix: string;
  /** Between two runs. Milliseconds. */
  everyMs: number;
  /** After a run that found differences, until the next of this process; then twice as long, and so on. Milliseconds. */
  againMs: number;
  verify: () => Promise<StoresVerification>;
  log: Readonly<Record<'info' | 'warn' | 'error', (details: object, message: string) => void>>;
}>;

/** How the last run in this process ended; undefined before the first. */
export type VerificationStatus = Readonly<{ ranAt: string }> & StoresVerification;

/** How much differs, of what was compared. */
export const differencesIn = ({ readModel, redis }: StoresVerification): number =>
  readModel.differences.length + (redis?.differences.length ?? 0);

const NAME = 'verification';
const UNFINISHED = 'verification could not finish';

/** A flushed Redis has lost the schedule; it is put there again this often. */
const RENEW_MS = 60_000;

/** Differences that stay are looked for this seldom at last. */
const LONGEST_AGAIN_MS = 600_000;

/**
 * Compares the read model with the log again and again: once per interval in the whole installation, by whichever
 * worker takes it. Differences are logged as errors and told by `status`. A store or a projector may only have been behind:
 * who found differences looks again soon, until there are none.
 */
export const startVerificationJob = (options: VerificationJobOptions) => {
  const { redisUrl, prefix, everyMs, againMs, verify, log } = options;
  const connection = jobConnection(redisUrl);
  const shared = { connection, prefix: `{${prefix}}:jobs` };
  const queue = new Queue(NAME, shared);
  let last: VerificationStatus | undefined;

  let isStopping = false;
  let again: NodeJS.Timeout | undefined;

  const compare = async (nextMs: number): Promise<void> => {
    clearTimeout(again);
    const found = await verify();
    last = { ranAt: new Date().toISOString(), ...found };
    if (differencesIn(found) > 0) lookAgain(nextMs);
    if (differencesIn(found) === 0 && agrees(found.readModel))
      log.info(found, 'the read model equals the log');
    else log.error(found, 'the read model or Redis differs from the log');
  };
  const lookAgain = (delayMs: number): void => {
    if (isStopping) return;
    const nextMs = Math.min(delayMs * 2, LONGEST_AGAIN_MS);
    clearTimeout(again);
    again = setTimeout(() => {
      compare(nextMs).catch((error: unknown) => {
        if (!isStopping) log.warn({ err: error }, UNFINISHED);
        lookAgain(nextMs);
      });
    }, delayMs);
  };
  const run = (): Promise<void> => compare(againMs);
  const worker = new Worker(NAME, run, { ...shared, lockDuration: 60_000 });
  const onError = (error: Error): void => {
    if (!isStopping) log.warn({ err: error }, 'jobs are waiting for Redis');
  };
  queue.on('error', onError);
  worker.on('error', onError);
  worker.on('failed', (_, error) => {
    log.warn({ err: error }, UNFINISHED);
  });

  const renew = (): void => {
    const job = { name: NAME, opts: { removeOnComplete: 10, removeOnFail: 10 } };
    queue.upsertJobScheduler(NAME, { every: everyMs }, job).catch(onError);
  };
  renew();
  const renewing = setInterval(renew, RENEW_MS);
  return {
    status: (): VerificationStatus | undefined => last,
    stop: async (): Promise<void> => {
      isStopping = true;
      clearInterval(renewing);
      clearTimeout(again);
      // Not `queue.disconnect()`: it waits for a connection, which may never come (BullMQ 6.7).
      await Promise.all([worker.close(true), queue.getBackend().close(true)]);
    },
  };
};

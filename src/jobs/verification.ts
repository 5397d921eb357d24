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
  verify: () => Promise<StoresVerification>;
  log: Readonly<Record<'info' | 'warn' | 'error', (details: object, message: string) => void>>;
}>;

/** How the last run in this process ended; undefined before the first. */
export type VerificationStatus = Readonly<{ ranAt: string }> & StoresVerification;

/** How much differs, of what was compared. */
export const differencesIn = ({ readModel, redis }: StoresVerification): number =>
  readModel.differences.length + (redis?.differences.length ?? 0);

const NAME = 'verification';

/** A flushed Redis has lost the schedule; it is put there again this often. */
const RENEW_MS = 60_000;

/**
 * Compares the read model with the log again and again: once per interval in the whole installation, by whichever
 * worker takes it. Differences are logged as errors and told by `status`.
 */
export const startVerificationJob = (options: VerificationJobOptions) => {
  const { redisUrl, prefix, everyMs, verify, log } = options;
  const connection = jobConnection(redisUrl);
  const shared = { connection, prefix: `{${prefix}}:jobs` };
  const queue = new Queue(NAME, shared);
  let last: VerificationStatus | undefined;

  const run = async (): Promise<void> => {
    const found = await verify();
    last = { ranAt: new Date().toISOString(), ...found };
    if (differencesIn(found) === 0 && agrees(found.readModel))
      log.info(found, 'the read model equals the log');
    else log.error(found, 'the read model or Redis differs from the log');
  };
  const worker = new Worker(NAME, run, { ...shared, lockDuration: 60_000 });
  let isStopping = false;
  const onError = (error: Error): void => {
    if (!isStopping) log.warn({ err: error }, 'jobs are waiting for Redis');
  };
  queue.on('error', onError);
  worker.on('error', onError);
  worker.on('failed', (_, error) => {
    log.warn({ err: error }, 'verification could not finish');
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
      // Not `queue.disconnect()`: it waits for a connection, which may never come (BullMQ 6.7).
      await Promise.all([worker.close(true), queue.getBackend().close(true)]);
    },
  };
};

import { setTimeout as delay } from 'node:timers/promises';

type Log = Readonly<Record<'info' | 'error', (details: object, message: string) => void>>;

/** Runs some work and logs the first failure of a row, and the first success after it. */
type Attempt = (what: string, work: () => Promise<unknown>) => Promise<void>;

type RepeatedJobOptions = Readonly<{
  /** From the end of one run to the next. Milliseconds. */
  everyMs: number;
  run: (attempt: Attempt) => Promise<void>;
  log: Log;
}>;

/** Runs again and again in this process until stopped, whatever fails. */
const startRepeatedJob = ({ everyMs, run, log }: RepeatedJobOptions) => {
  const stopping = new AbortController();
  const { signal } = stopping;
  const failing = new Set<string>();

  const attempt: Attempt = async (what, work) => {
    try {
      await work();
      if (failing.delete(what)) log.info({}, `${what} succeeded again`);
    } catch (err) {
      if (!failing.has(what)) log.error({ err }, `${what} failed; trying again`);
      failing.add(what);
    }
  };
  const repeat = async (): Promise<void> => {
    while (!signal.aborted) {
      await run(attempt);
      await delay(everyMs, undefined, { signal }).catch(() => undefined);
    }
  };
  const running = repeat();
  return {
    /** What fails at the moment, in words. */
    failing: (): readonly string[] => [...failing],
    stop: async (): Promise<void> => {
      stopping.abort();
      await running;
    },
  };
};

type CheckpointJobOptions = Readonly<{
  /** Between two runs. Milliseconds. */
  everyMs: number;
  organizations: () => Promise<readonly string[]>;
  /** Signs when it is time for that organization. */
  take: (organizationId: string) => Promise<unknown>;
  /** Brings what was signed to the places outside. */
  deliver: () => Promise<void>;
  log: Log;
}>;

/** Signs and delivers checkpoints. */
export const startCheckpointJob = (options: CheckpointJobOptions) => {
  const { everyMs, organizations, take, deliver, log } = options;
  const run = async (attempt: Attempt): Promise<void> => {
    await attempt('looking for checkpoints that are due', async () => {
      for (const id of await organizations())
        await attempt(`signing a checkpoint of '${id}'`, () => take(id));
    });
    await attempt('delivering checkpoints', deliver);
  };
  return startRepeatedJob({ everyMs, run, log });
};

type ErasureJobOptions = Readonly<{
  /** Between two runs. Milliseconds. */
  everyMs: number;
  /** Brings erasures into the log that are not there yet. */
  record: () => Promise<void>;
  log: Log;
}>;

/** Completes erasures. */
export const startErasureJob = ({ everyMs, record, log }: ErasureJobOptions) =>
  startRepeatedJob({ everyMs, run: (attempt) => attempt('recording erasures', record), log });

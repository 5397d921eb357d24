import { setTimeout as delay } from 'node:timers/promises';

type CheckpointJobOptions = Readonly<{
  /** Between two runs. Milliseconds. */
  everyMs: number;
  organizations: () => Promise<readonly string[]>;
  /** Signs when it is time for that organization. */
  take: (organizationId: string) => Promise<unknown>;
  /** Brings what was signed to the places outside. */
  deliver: () => Promise<void>;
  log: Readonly<Record<'info' | 'error', (details: object, message: string) => void>>;
}>;

/** Signs and delivers checkpoints for as long as it runs; tells the first failure of a row, and that it is over. */
export const startCheckpointJob = (options: CheckpointJobOptions) => {
  const { everyMs, organizations, take, deliver, log } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const failing = new Set<string>();

  const attempt = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
      if (failing.delete(what)) log.info({}, `${what} succeeded again`);
    } catch (err) {
      if (!failing.has(what)) log.error({ err }, `${what} failed; trying again`);
      failing.add(what);
    }
  };
  const takeAll = async (): Promise<void> => {
    for (const id of await organizations())
      await attempt(`signing a checkpoint of '${id}'`, () => take(id));
  };
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      await attempt('looking for checkpoints that are due', takeAll);
      await attempt('delivering checkpoints', deliver);
      await delay(everyMs, undefined, { signal }).catch(() => undefined);
    }
  };
  const running = run();
  return {
    /** What fails at the moment, in words. */
    failing: (): readonly string[] => [...failing],
    stop: async (): Promise<void> => {
      stopping.abort();
      await running;
    },
  };
};

type ErasureJobOptions = Readonly<{
  /** Between two runs. Milliseconds. */
  everyMs: number;
  /** Brings erasures into the log that are not there yet. */
  record: () => Promise<void>;
  log: Readonly<Record<'info' | 'error', (details: object, message: string) => void>>;
}>;

/** Completes erasures for as long as it runs; tells the first failure of a row, and that it is over. */
export const startErasureJob = ({ everyMs, record, log }: ErasureJobOptions) => {
  const stopping = new AbortController();
  const { signal } = stopping;
  let isFailing = false;

  const attempt = async (): Promise<void> => {
    try {
      await record();
      if (isFailing) log.info({}, 'recording erasures succeeded again');
      isFailing = false;
    } catch (err) {
      if (!isFailing) log.error({ err }, 'recording erasures failed; trying again');
      isFailing = true;
    }
  };
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      await attempt();
      await delay(everyMs, undefined, { signal }).catch(() => undefined);
    }
  };
  const running = run();
  return {
    stop: async (): Promise<void> => {
      stopping.abort();
      await running;
    },
  };
};

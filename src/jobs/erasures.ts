import { setTimeout as delay } from 'node:timers/promises';

export type ErasureJobOptions = Readonly<{
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

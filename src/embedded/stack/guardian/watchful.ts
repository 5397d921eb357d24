import { reasonOf } from '../startup-error.js';
import { startGuardian, type Crash, type Guardian } from './client.js';
import { type ServiceSpec } from './protocol.js';

/** Where the stack tells what happens. pino's loggers fit. */
export type StackLog = Readonly<{ info(message: string): void; warn(message: string): void }>;

/** A guardian that is replaced, with all its services, should it be killed itself. */
export type WatchfulGuardian = Guardian &
  Readonly<{ onCrash(listener: (crash: Crash) => void): void }>;

const GUARDIAN_PAUSE_MS = 200;

/**
 * Starts a guardian and tells crashes to the log and to listeners.
 * @throws StartupError when the data directory belongs to a living service.
 */
export const watchfulGuardian = async (
  dataDirectory: string,
  log: StackLog,
): Promise<WatchfulGuardian> => {
  const listeners: ((crash: Crash) => void)[] = [];
  const started: ServiceSpec[] = [];
  const stopping = new AbortController();
  const isStopping = (): boolean => stopping.signal.aborted;

  const crashed = (crash: Crash): void => {
    const { name, reason, restartInMs } = crash;
    const next =
      restartInMs === undefined ? 'it stays away' : `starting it again in ${restartInMs} ms`;
    log.warn(`${name} ended by itself (${reason}); ${next}`);
    for (const listener of listeners) listener(crash);
  };
  const replace = async (): Promise<void> => {
    try {
      current = await startGuardian(dataDirectory, events); // ends what the killed one left running
      if (isStopping()) return;
      await Promise.all(started.map((spec) => current.start(spec)));
      log.info('the local services run again');
    } catch (error) {
      if (!isStopping())
        crashed({ name: 'guardian of the local services', reason: reasonOf(error) });
    }
  };
  const events = {
    crashed,
    recovered: (name: string) => {
      log.info(`${name} runs again`);
    },
    lost: () => {
      crashed({
        name: 'guardian of the local services',
        reason: 'killed',
        restartInMs: GUARDIAN_PAUSE_MS,
      });
      replacing = new Promise((resolve) => setTimeout(resolve, GUARDIAN_PAUSE_MS)).then(replace);
    },
  };
  let replacing: Promise<void> = Promise.resolve();
  let current = await startGuardian(dataDirectory, events);

  return {
    start: async (spec) => {
      await current.start(spec);
      started.push(spec);
    },
    run: (spec) => current.run(spec),
    onCrash: (listener) => {
      listeners.push(listener);
    },
    stop: async () => {
      stopping.abort();
      await replacing;
      await current.stop();
    },
  };
};

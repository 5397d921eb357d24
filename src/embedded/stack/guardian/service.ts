import { type ServiceSpec } from './protocol.js';
import { startProcess, type Running } from './child-process.js';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
/** A service that ran for so long has recovered: its next crash starts with the shortest pause again. */
const STEADY_MS = 30_000;

/** What becomes of a service, told as it happens. */
export type ServiceEvents = Readonly<{
  launched(): void;
  ready(): void;
  failed(output: readonly string[]): void;
  crashed(reason: string, restartInMs: number): void;
  recovered(): void;
}>;

/** A service that is kept running. */
export type Service = Readonly<{ running(): Running | undefined; stop(): Promise<void> }>;

/**
 * Starts a service and, once it has been ready, starts it again whenever it ends, after a growing pause.
 * One that ends before it was ever ready has failed, and is left to whoever asked for it.
 */
export const keepRunning = (spec: ServiceSpec, events: ServiceEvents): Service => {
  const readyLine = new RegExp(spec.ready);
  let running: Running | undefined;
  let restart: NodeJS.Timeout | undefined;
  let isStopping = false;
  let wasReady = false;
  let pauseMs = FIRST_PAUSE_MS;

  const onReady = (): void => {
    (wasReady ? events.recovered : events.ready)();
    wasReady = true;
  };

  const onEnd = (reason: string, output: readonly string[], startedAt: number): void => {
    running = undefined;
    if (isStopping) return;
    if (!wasReady) {
      events.failed(output);
      return;
    }
    if (Date.now() - startedAt > STEADY_MS) pauseMs = FIRST_PAUSE_MS;
    events.crashed(reason, pauseMs);
    restart = setTimeout(launch, pauseMs);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  };

  const launch = (): void => {
    const startedAt = Date.now();
    let isReady = false;
    const launched = startProcess(spec, (line) => {
      if (isReady || !readyLine.test(line)) return;
      isReady = true;
      onReady();
    });
    running = launched;
    events.launched();
    void launched.ended.then(({ reason }) => {
      onEnd(reason, launched.output, startedAt);
    });
  };

  launch();
  return {
    running: () => running,
    stop: async () => {
      isStopping = true;
      clearTimeout(restart);
      await running?.stop();
    },
  };
};

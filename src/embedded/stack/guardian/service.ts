import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { type ProcessSpec, type ServiceSpec } from './client.js';

const KEPT_LINES = 30;
const LAST_WORDS_MS = 300;

/** One running process. */
export type Running = Readonly<{
  pid: number | undefined;
  /** How it ended, e.g. `exit code 1` or `SIGKILL`. Never rejects. */
  ended: Promise<{ isSuccess: boolean; reason: string }>;
  /** The last 30 lines of its output. */
  output: readonly string[];
  /** Ends it: politely, then by force. Resolves when it is gone. */
  stop(): Promise<void>;
}>;

const ending = async (child: ChildProcess): Promise<{ isSuccess: boolean; reason: string }> => {
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    // Its last words may still be in the pipe; a child of its own may hold that pipe open for longer.
    await Promise.race([once(child, 'close'), delay(LAST_WORDS_MS)]);
    return { isSuccess: code === 0, reason: signal ?? `exit code ${code ?? 'unknown'}` };
  } catch (error) {
    return { isSuccess: false, reason: error instanceof Error ? error.message : String(error) };
  }
};

/** Starts a process and follows its output line by line. */
export const startProcess = (spec: ProcessSpec, onLine: (line: string) => void): Running => {
  const { command, args, env, uid, gid, stopSignals, graceMs } = spec;
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  });
  const output: string[] = [];
  const ended = ending(child).then((how) => {
    if (child.pid === undefined) output.push(how.reason);
    return how;
  });
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      if (output.push(line) > KEPT_LINES) output.shift();
      onLine(line);
    });
  }
  let isGone = child.pid === undefined;
  child.once('exit', () => (isGone = true));
  const stop = async (): Promise<void> => {
    for (const signal of [...stopSignals, 'SIGKILL'] as const) {
      if (isGone) break;
      child.kill(signal);
      await Promise.race([ended, delay(graceMs, undefined, { ref: false })]);
    }
    await ended;
  };
  return { pid: child.pid, ended, output, stop };
};

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
/** A service that ran for so long has recovered: its next crash starts with the shortest pause again. */
const STEADY_MS = 30_000;

/** Changes in the life of a service, reported as they happen. */
type ServiceEvents = Readonly<{
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

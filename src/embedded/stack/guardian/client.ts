import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { reasonOf, StartupError } from '../data-directory.js';

/** A process for the guardian to start. Everything is plain data: it travels as a message. */
export type ProcessSpec = Readonly<{
  /** For messages to people, e.g. `Postgres`. Unique within a stack. */
  name: string;
  command: string;
  args: readonly string[];
  /** Added to the guardian's own environment. */
  env?: Readonly<Record<string, string>>;
  /** User and group to run as; ours when absent. */
  uid?: number;
  gid?: number;
  /** Stands in the title or the arguments of this process and of no other on the machine. */
  mark: string;
  /** Sent one after the other, `graceMs` apart, until the process is gone; then SIGKILL. */
  stopSignals: readonly NodeJS.Signals[];
  graceMs: number;
}>;

/** A process that stays. It has started when a line of its output matches `ready` (a regular expression). */
export type ServiceSpec = ProcessSpec & Readonly<{ ready: string }>;

export type ToGuardian =
  | Readonly<{ type: 'start'; spec: ServiceSpec }>
  | Readonly<{ type: 'run'; spec: ProcessSpec }>
  | Readonly<{ type: 'stop' }>;

/** `output`: the last lines the process wrote. */
export type FromGuardian =
  | Readonly<{ type: 'locked' }>
  | Readonly<{ type: 'in-use'; pid: number }>
  | Readonly<{ type: 'broken'; reason: string }>
  | Readonly<{ type: 'done'; name: string }>
  | Readonly<{ type: 'failed'; name: string; output: readonly string[] }>
  | Readonly<{ type: 'crashed'; name: string; reason: string; restartInMs: number }>
  | Readonly<{ type: 'recovered'; name: string }>;

/** A process ended before it was ready. `output` holds its last lines. */
export class LaunchError extends Error {
  override readonly name = 'LaunchError';
  readonly output: readonly string[];
  constructor(name: string, output: readonly string[]) {
    super(`${name} did not start: ${output.at(-1) ?? 'it wrote nothing'}`);
    this.output = output;
  }
}

/** A local service ended by itself. Without `restartInMs` it could not be started again. */
export type Crash = Readonly<{ name: string; reason: string; restartInMs?: number }>;

/** What is heard from a guardian once the data directory is ours. */
type GuardianEvents = Readonly<{
  crashed(crash: Crash): void;
  recovered(name: string): void;
  /** The guardian itself was killed; its services live on, unguarded. */
  lost(): void;
}>;

/** The service's end of the channel to its guardian. */
export type Guardian = Readonly<{
  /** Resolves when the service is ready; from then on it is kept running. @throws LaunchError */
  start(spec: ServiceSpec): Promise<void>;
  /** Resolves when the program has ended well. @throws LaunchError */
  run(spec: ProcessSpec): Promise<void>;
  /** Ends the services, then the guardian. Resolves when no process is left. */
  stop(): Promise<void>;
}>;

type Waiting = Readonly<{ resolve(): void; reject(error: Error): void }>;

const refusal = (dataDirectory: string, message: FromGuardian | undefined): StartupError => {
  const place = `data directory ${dataDirectory}`;
  if (message?.type !== 'in-use') {
    const reason =
      message?.type === 'broken' ? message.reason : 'its guardian process ended at once';
    return new StartupError(
      `${place} cannot be locked: ${reason}; set DATA_DIRECTORY to another folder`,
    );
  }
  const owner = message.pid > 0 ? `process ${message.pid}` : 'another process';
  return new StartupError(
    `${place} is in use by ${owner}; stop it, or set DATA_DIRECTORY to another folder`,
  );
};

/** The built program, seen from `src/` and `dist/` alike: whatever compiles our sources on the fly is not its burden. */
const PROGRAM = fileURLToPath(
  new URL('../../../../dist/embedded/stack/guardian/main.js', import.meta.url),
);

/** Starts the guardian process; resolves when it holds the data directory. */
const launch = async (dataDirectory: string): Promise<ChildProcess> => {
  if (!existsSync(PROGRAM)) throw new StartupError(`${PROGRAM} is missing; run: npm run build`);
  const child = fork(PROGRAM, [dataDirectory, String(process.pid)], {
    detached: true,
    execArgv: [],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const answer = await new Promise<FromGuardian | undefined>((resolve) => {
    child.once('message', resolve);
    child.once('error', () => {
      resolve(undefined);
    });
    child.once('exit', () => {
      resolve(undefined);
    });
  });
  if (answer?.type !== 'locked') throw refusal(dataDirectory, answer);
  return child;
};

/**
 * Starts a guardian for the data directory, waiting for one of an earlier run that is still stopping its services.
 * @throws StartupError when the directory belongs to a living service.
 */
const startGuardian = async (dataDirectory: string, events: GuardianEvents): Promise<Guardian> => {
  const child = await launch(dataDirectory);
  const waiting = new Map<string, Waiting>();
  let isStopping = false;

  const settle = (name: string, how: (one: Waiting) => void): void => {
    const one = waiting.get(name);
    waiting.delete(name);
    hold(waiting.size > 0);
    if (one !== undefined) how(one);
  };
  const hear = (message: FromGuardian): void => {
    if (message.type === 'crashed') events.crashed(message);
    else if (message.type === 'recovered') events.recovered(message.name);
    else if (message.type === 'done') {
      settle(message.name, (one) => {
        one.resolve();
      });
    } else if (message.type === 'failed') {
      settle(message.name, (one) => {
        one.reject(new LaunchError(message.name, message.output));
      });
    }
  };
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => {
      for (const [name, one] of waiting) one.reject(new LaunchError(name, ['its guardian ended']));
      if (!isStopping) events.lost();
      resolve();
    });
  });
  child.on('message', hear);
  // A service that ends without a stop() is not held up by its guardian; while an answer is awaited it is.
  const hold = (isHeld: boolean): void => {
    if (isHeld) child.channel?.ref();
    else child.channel?.unref();
  };
  child.unref();
  hold(false);
  const send = (message: ToGuardian): void => {
    if (child.connected) child.send(message);
  };
  const request = (type: 'start' | 'run', spec: ServiceSpec | ProcessSpec): Promise<void> =>
    new Promise((resolve, reject) => {
      waiting.set(spec.name, { resolve, reject });
      hold(true);
      send({ type, spec } as ToGuardian);
    });

  return {
    start: (spec) => request('start', spec),
    run: (spec) => request('run', spec),
    stop: async () => {
      isStopping = true;
      child.ref();
      send({ type: 'stop' });
      await ended;
    },
  };
};

/** Where the stack tells what happens. pino's loggers fit. */
export type StackLog = Readonly<{ info(message: string): void; warn(message: string): void }>;

/** A guardian that is replaced, with all its services, should it be killed itself. */
type WatchfulGuardian = Guardian & Readonly<{ onCrash(listener: (crash: Crash) => void): void }>;

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

import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  createDataDirectory,
  freePort,
  readSettings,
  reasonOf,
  type ServiceName,
  type Settings,
  StartupError,
  writeSettings,
} from './data-directory.js';
import {
  type Crash,
  type Guardian,
  LaunchError,
  type StackLog,
  watchfulGuardian,
} from './guardian/client.js';
import { postgresUrl, startPostgres } from './postgres.js';
import { findRedis, installRedis, redisUrl, startRedis } from './redis.js';

type EventStoreOptions = Readonly<{ dataDirectory: string; port: number; entry: string }>;

/** The built program of the embedded event store, seen from `src/embedded/stack/` and `dist/embedded/stack/` alike. */
const EVENT_STORE_ENTRY = fileURLToPath(
  new URL('../../../dist/embedded/event-store/main.js', import.meta.url),
);

/** The most that a real server can be set to, about: commands on lists of 100 000 keys are one append. */
const MAX_APPEND_SIZE = '16000000';

const eventStoreUrl = (port: number): string => `esdb://127.0.0.1:${port}?tls=false`;

/**
 * Starts the embedded event store on 127.0.0.1:`port` with its log in `<dataDirectory>/event-store`; gives its URL.
 * @throws LaunchError; StartupError when the program is not built.
 */
const startEventStore = async (guardian: Guardian, options: EventStoreOptions): Promise<string> => {
  const { dataDirectory, port, entry } = options;
  if (!existsSync(entry)) throw new StartupError(`${entry} is missing; run: npm run build`);
  const log = join(dataDirectory, 'event-store');
  await guardian.start({
    name: 'event store',
    command: process.execPath,
    args: [entry, '--port', String(port), '--db', log, '--max-append-size', MAX_APPEND_SIZE],
    ready: '^event store listening on ',
    mark: log,
    stopSignals: ['SIGTERM'],
    graceMs: 8_000,
  });
  return eventStoreUrl(port);
};

export type StackUrls = Readonly<{
  eventStoreUrl: string;
  databaseUrl: string;
  redisUrl: string;
}>;

const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const end = (isThere: boolean) => () => {
      socket.destroy();
      resolve(isThere);
    };
    socket.once('connect', end(true)).once('error', end(false));
  });

/**
 * Where the services are that another process runs on this data directory; undefined when one that is needed does not
 * listen. The others may be elsewhere.
 */
export const runningStack = async (
  dataDirectory: string,
  needs: Readonly<Record<ServiceName, boolean>>,
): Promise<StackUrls | undefined> => {
  const { ports, passwords } = await readSettings(dataDirectory);
  const { eventStore, postgres, redis } = ports;
  if (eventStore === undefined || postgres === undefined || redis === undefined) return undefined;
  const listening = await Promise.all([
    !needs.eventStore || isListening(eventStore),
    !needs.postgres || isListening(postgres),
    !needs.redis || isListening(redis),
  ]);
  return listening.includes(false)
    ? undefined
    : {
        eventStoreUrl: eventStoreUrl(eventStore),
        databaseUrl: postgresUrl(postgres, passwords.postgres),
        redisUrl: redisUrl(redis, passwords.redis),
      };
};

export { StartupError, type Crash, type StackLog };

/** What to start, and where to keep it. */
export type StackOptions = Readonly<{
  /** Holds everything: data, ports, passwords. Made when it is not there. Used by one stack at a time. */
  dataDirectory: string;
  needs: Readonly<Record<ServiceName, boolean>>;
  log: StackLog;
  /** Program of the event store. @defaultValue the built one of this package */
  eventStoreEntry?: string;
  /** Where programs are looked for, in the form of $PATH. @defaultValue $PATH */
  searchPath?: string;
}>;

/** Running local services. A URL is there when the service was asked for. All listen on 127.0.0.1 only. */
export type LocalStack = Readonly<{
  eventStoreUrl: string | undefined;
  databaseUrl: string | undefined;
  redisUrl: string | undefined;
  /** Calls `listener` whenever a service has ended by itself. It is started again, on the same URL, without further ado. */
  onCrash(listener: (crash: Crash) => void): void;
  /** Ends every service. Resolves when no process is left and the data directory is free. Never rejects. */
  stop(): Promise<void>;
}>;

const PORT_ATTEMPTS = 3;
const PORT_TAKEN = /address already in use/i;

const redisProgram = async (searchPath: string, log: StackLog): Promise<string> =>
  findRedis(searchPath) ?? installRedis(searchPath, log);

type Place = Readonly<{ dataDirectory: string; settings: Settings }>;

/** Gives each service the port it had before, or another one when that is taken, and writes it down. */
const choosePorts = async ({ dataDirectory, settings }: Place): Promise<void> => {
  for (const service of ['eventStore', 'postgres', 'redis'] as const) {
    settings.ports[service] = await freePort(settings.ports[service]);
  }
  await writeSettings(dataDirectory, settings); // with the passwords, before the first server has them
};

/** Starts a service on its port; on another one when somebody has taken it in the meantime. */
const onItsPort = async (
  { dataDirectory, settings }: Place,
  service: ServiceName,
  start: (port: number) => Promise<string>,
): Promise<string> => {
  for (let attempt = 1; ; attempt++) {
    const port = settings.ports[service] ?? (await freePort());
    try {
      return await start(port);
    } catch (error) {
      const isTaken = error instanceof LaunchError && PORT_TAKEN.test(error.output.join('\n'));
      if (!isTaken || attempt === PORT_ATTEMPTS) throw error;
      settings.ports[service] = await freePort();
      await writeSettings(dataDirectory, settings);
    }
  }
};

/**
 * Starts the services that are needed, side by side, under a guardian that ends them however this process ends.
 * Waits for what an earlier, killed run on the same data directory is still stopping.
 * @throws StartupError with one line that says what to do; nothing is left running then.
 */
export const startLocalStack = async (options: StackOptions): Promise<LocalStack> => {
  const {
    needs,
    log,
    eventStoreEntry = EVENT_STORE_ENTRY,
    searchPath = process.env['PATH'] ?? '',
  } = options;
  const dataDirectory = resolve(options.dataDirectory);
  await createDataDirectory(dataDirectory);
  const guardian = await watchfulGuardian(dataDirectory, log);
  try {
    const settings = await readSettings(dataDirectory);
    await choosePorts({ dataDirectory, settings });
    const { passwords } = settings;
    const provide = (service: ServiceName, start: (port: number) => Promise<string>) =>
      needs[service] ? onItsPort({ dataDirectory, settings }, service, start) : undefined;

    const [eventStoreUrl, databaseUrl, redisUrl] = await Promise.all([
      provide('eventStore', (port) =>
        startEventStore(guardian, { dataDirectory, port, entry: eventStoreEntry }),
      ),
      provide('postgres', (port) => startPostgres(guardian, dataDirectory, port, passwords)),
      provide('redis', async (port) => {
        const program = await redisProgram(searchPath, log);
        return startRedis(guardian, { program, dataDirectory, port, password: passwords.redis });
      }),
    ]);
    const { onCrash, stop } = guardian;
    return { eventStoreUrl, databaseUrl, redisUrl, onCrash, stop };
  } catch (error) {
    await guardian.stop();
    if (error instanceof StartupError) throw error;
    throw new StartupError(`${reasonOf(error)}; data directory: ${dataDirectory}`);
  }
};

import { resolve } from 'node:path';
import {
  createDataDirectory,
  readSettings,
  writeSettings,
  type ServiceName,
  type Settings,
} from './stack/data-directory.js';
import { EVENT_STORE_ENTRY, startEventStore } from './stack/event-store.js';
import { freePort } from './stack/free-port.js';
import { LaunchError, type Crash } from './stack/guardian/client.js';
import { watchfulGuardian, type StackLog } from './stack/guardian/watchful.js';
import { startPostgres } from './stack/postgres/start.js';
import { findRedis } from './stack/redis/find.js';
import { installRedis } from './stack/redis/install.js';
import { startRedis } from './stack/redis/start.js';
import { reasonOf, StartupError } from './stack/startup-error.js';

export { runningStack, type StackUrls } from './stack/running.js';
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

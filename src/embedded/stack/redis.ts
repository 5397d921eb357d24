import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { reasonOf, StartupError, writeDurably } from './data-directory.js';
import { type Guardian, type StackLog } from './guardian/client.js';

/** The first of `names` that is an executable file in a folder of `searchPath` (the form of $PATH). */
const findProgram = (names: readonly string[], searchPath: string): string | undefined => {
  const folders = searchPath.split(delimiter).filter((folder) => folder !== '');
  const candidates = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return candidates.find((candidate) => {
    try {
      accessSync(candidate, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
};

/** Redis, or Valkey, which speaks the same protocol and reads the same configuration. */
export const findRedis = (searchPath: string): string | undefined =>
  findProgram(['redis-server', 'valkey-server'], searchPath);

const execute = promisify(execFile);

const INSTALL_TIMEOUT_MS = 300_000;
/** Debian's switch for "start no service" while packages are installed (exit code 101 forbids it). */
const POLICY_FILE = '/usr/sbin/policy-rc.d';
const ADVICE = 'install redis-server or valkey-server (5 or newer), or set REDIS_URL';

const aptInstall = async (aptGet: string): Promise<void> => {
  const options = {
    timeout: INSTALL_TIMEOUT_MS,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  };
  const install = [
    'install',
    '-y',
    '--no-install-recommends',
    '-o',
    'DPkg::Lock::Timeout=120',
    'redis-server',
  ];
  // The machine's own Redis service is not wanted: ours is private. An administrator's policy is left alone.
  const isOurPolicy = !existsSync(POLICY_FILE);
  if (isOurPolicy) writeFileSync(POLICY_FILE, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    // Without lists, or with old ones, the first try fails.
    await execute(aptGet, install, options).catch(async () => {
      await execute(aptGet, ['update'], options);
      await execute(aptGet, install, options);
    });
  } finally {
    if (isOurPolicy) rmSync(POLICY_FILE, { force: true });
  }
  // Nor at the next boot. No systemd, nothing to do.
  await execute('systemctl', ['disable', 'redis-server']).catch(() => undefined);
};

type Installer = Readonly<{
  /** The command, as a person would type it. */
  says: string;
  install: () => Promise<unknown>;
}>;

/** How Redis can be installed here without asking anyone; undefined when it cannot. */
const installer = (searchPath: string): Installer | undefined => {
  const aptGet = findProgram(['apt-get'], searchPath);
  if (aptGet !== undefined && process.getuid?.() === 0)
    return { says: 'apt-get install redis-server', install: () => aptInstall(aptGet) };
  const brew = findProgram(['brew'], searchPath);
  if (brew !== undefined) {
    const options = { timeout: INSTALL_TIMEOUT_MS };
    return {
      says: 'brew install redis',
      install: () => execute(brew, ['install', 'redis'], options),
    };
  }
  return undefined;
};

/**
 * Installs Redis with `apt-get` (as root) or Homebrew, after saying so, and gives the path of its program.
 * @throws StartupError when neither is at hand, or the installation fails.
 */
export const installRedis = async (searchPath: string, log: StackLog): Promise<string> => {
  const installing = installer(searchPath);
  if (installing === undefined) throw new StartupError(`no Redis on this machine; ${ADVICE}`);
  log.info(`no Redis on this machine; installing it with "${installing.says}"`);
  try {
    await installing.install();
  } catch (error) {
    throw new StartupError(`Redis could not be installed (${reasonOf(error)}); ${ADVICE}`);
  }
  const program = findRedis(searchPath);
  if (program === undefined)
    throw new StartupError(`Redis was installed but is not on PATH; ${ADVICE}`);
  return program;
};

type RedisOptions = Readonly<{
  /** Path of `redis-server` or `valkey-server`. */
  program: string;
  dataDirectory: string;
  port: number;
  password: string;
}>;

// Everything is said here, so that nothing hangs on the defaults of the version that the machine has.
const configuration = (folder: string, { port, password }: RedisOptions): string =>
  [
    'bind 127.0.0.1',
    `port ${port}`,
    'protected-mode yes',
    `requirepass ${password}`,
    `dir ${JSON.stringify(folder)}`,
    'daemonize no',
    'logfile ""',
    'save ""',
    'appendonly yes',
    'appendfsync everysec',
    'aof-load-truncated yes',
    'maxmemory-policy noeviction', // job queues must not lose keys
    '',
  ].join('\n');

export const redisUrl = (port: number, password: string): string =>
  `redis://:${password}@127.0.0.1:${port}/0`;

/**
 * Starts a private Redis on 127.0.0.1:`port` with its files in `<dataDirectory>/redis`; gives its URL.
 * @throws LaunchError
 */
export const startRedis = async (guardian: Guardian, options: RedisOptions): Promise<string> => {
  const { program, dataDirectory, port, password } = options;
  const folder = join(dataDirectory, 'redis');
  const file = join(folder, 'redis.conf'); // holds the password: mode 0600, and not among the arguments
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeDurably(file, configuration(folder, options));
  await guardian.start({
    name: 'Redis',
    command: program,
    args: [file],
    ready: 'Ready to accept connections',
    mark: `127.0.0.1:${port}`, // it replaces its arguments by its name and address
    stopSignals: ['SIGTERM'],
    graceMs: 8_000,
  });
  return redisUrl(port, password);
};

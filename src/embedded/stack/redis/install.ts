import { execFile } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { type StackLog } from '../guardian/watchful.js';
import { reasonOf, StartupError } from '../startup-error.js';
import { findProgram, findRedis } from './find.js';

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

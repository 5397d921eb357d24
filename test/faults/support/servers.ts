import { execFileSync, spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Test } from 'tap';
import {
  postgresAccount,
  postgresBinaries,
  runAs,
} from '../../../src/embedded/stack/postgres-account.js';
import { findRedis } from '../../../src/embedded/stack/redis.js';
import { freePort } from '../../support/free-port.js';
import { type ControlledProcess, controlledProcess, StartFailed } from './controlled-process.js';
import { tcpProxy, type TcpProxy } from './tcp-proxy.js';

const DATA = fileURLToPath(new URL('../../../.data/', import.meta.url));
const EVENT_STORE = fileURLToPath(
  new URL('../../../dist/embedded/event-store/main.js', import.meta.url),
);

/** A folder of the test's own under `.data/`, removed after it. */
export const faultFolder = (t: Test): string => {
  mkdirSync(DATA, { recursive: true });
  const folder = mkdtempSync(join(DATA, 'faults-'));
  execFileSync('chmod', ['755', folder]);
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
};

/** A server behind a proxy: `url` goes through the proxy, `directUrl` does not. */
export type FaultyServer = Readonly<{
  url: string;
  directUrl: string;
  process: ControlledProcess;
  proxy: TcpProxy;
}>;

const behindProxy = async (
  t: Test,
  process: ControlledProcess,
  { port, urlOf }: Readonly<{ port: number; urlOf: (port: number) => string }>,
): Promise<FaultyServer> => {
  t.teardown(() => process.kill());
  await process.start();
  const proxy = await tcpProxy(port);
  t.teardown(() => proxy.close());
  return { url: urlOf(proxy.port), directUrl: urlOf(port), process, proxy };
};

/** What kill -9 leaves for some 100 ms: backends that hold the shared memory of their dead postmaster. */
const STILL_HELD = /pre-existing shared memory block|lock file "postmaster.pid" already exists/;

const patiently = (server: ControlledProcess): ControlledProcess => ({
  ...server,
  start: async () => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await server.start();
        return;
      } catch (error) {
        const isHeld = error instanceof StartFailed && STILL_HELD.test(error.message);
        if (!isHeld || attempt === 40) throw error;
        await delay(100);
      }
    }
  },
});

/** Durable against kill -9, not against a power failure: no fsync. */
const POSTGRES_SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '60',
  shared_buffers: '32MB',
  fsync: 'off',
  jit: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
};

export const startPostgres = async (t: Test, folder: string): Promise<FaultyServer> => {
  const binaries = await postgresBinaries();
  const home = join(folder, 'postgres');
  const cluster = join(home, 'cluster');
  mkdirSync(home, { recursive: true });
  const account = postgresAccount(home);
  if (account !== undefined) chownSync(home, account.uid, account.gid);
  const { command, args, ...ids } = runAs(
    account,
    [binaries.initdb, `--pgdata=${cluster}`, '--username=postgres', '--auth=trust', '--no-sync'],
    [home],
  );
  const env = { ...process.env, LC_ALL: 'C' };
  execFileSync(command, [...args, '--locale=C', '--encoding=UTF8'], { ...ids, env });
  const port = await freePort();
  const settings = Object.entries(POSTGRES_SETTINGS).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ]);
  const running = runAs(
    account,
    [binaries.postgres, '-D', cluster, '-p', String(port), ...settings],
    [cluster],
  );
  const server = controlledProcess({
    name: 'Postgres',
    command: running.command,
    args: running.args,
    options: { ...ids, env },
    ready: /database system is ready to accept connections/,
  });
  return behindProxy(t, patiently(server), {
    port,
    urlOf: (at) => `postgres://postgres@127.0.0.1:${at}/postgres`,
  });
};

/** Keeps its data over restarts, unless `isEmptyAfterRestart`. */
export const startRedis = async (t: Test, folder: string): Promise<FaultyServer> => {
  const home = join(folder, 'redis');
  mkdirSync(home, { recursive: true });
  const port = await freePort();
  const program = findRedis(process.env['PATH'] ?? '');
  if (program === undefined) throw new Error('There is no redis-server on this machine.');
  const server = controlledProcess({
    name: 'Redis',
    command: program,
    args: ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'yes'],
    options: { cwd: home },
    ready: /Ready to accept connections/,
  });
  return behindProxy(t, server, { port, urlOf: (at) => `redis://127.0.0.1:${at}` });
};

export const startEventStore = async (t: Test, folder: string): Promise<FaultyServer> => {
  const port = await freePort();
  const server = controlledProcess({
    name: 'event store',
    command: process.execPath,
    args: [EVENT_STORE, '--port', String(port), '--db', join(folder, 'event-store')],
    ready: /event store listening on/,
  });
  return behindProxy(t, server, { port, urlOf: (at) => `esdb://127.0.0.1:${at}?tls=false` });
};

export type Servers = Readonly<{
  folder: string;
  eventStore: FaultyServer;
  postgres: FaultyServer;
  redis: FaultyServer;
}>;

/** A file system of its own for what a server stores; false where this process may not mount one. */
export const mountDisk = (t: Test, folder: string, megabytes: number): boolean => {
  mkdirSync(folder, { recursive: true });
  const options = ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=777`, 'none', folder];
  if (spawnSync('mount', options).status !== 0) return false;
  t.teardown(() => execFileSync('umount', ['--lazy', folder]));
  return true;
};

/** All three in processes of their own, each behind a proxy; ended and removed with the test. */
export const startServers = async (t: Test, folder = faultFolder(t)): Promise<Servers> => {
  const [eventStore, postgres, redis] = await Promise.all([
    startEventStore(t, folder),
    startPostgres(t, folder),
    startRedis(t, folder),
  ]);
  return { folder, eventStore, postgres, redis };
};

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Settings } from '../data-directory.js';
import { LaunchError, type Guardian } from '../guardian/client.js';
import { type ServiceSpec } from '../guardian/protocol.js';
import { postgresAccount, runAs } from './account.js';
import { postgresBinaries } from './binaries.js';
import { createCluster, disownPostmasterPid } from './cluster.js';
import { DATABASE, ensureDatabase } from './database.js';

const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '100',
  shared_buffers: '128MB',
  password_encryption: 'scram-sha-256',
  // An acknowledged commit is on disk. These are the defaults; they are named because everything rests on them.
  fsync: 'on',
  synchronous_commit: 'on',
  // Nothing replicates from a local stack, and minimal WAL makes bulk loads into new tables (rebuilds) cheaper.
  wal_level: 'minimal',
  max_wal_senders: '0',
  jit: 'off',
  log_checkpoints: 'off',
};

/** What kill -9 leaves for some 100 ms: backends that still hold the shared memory of their dead postmaster. */
const STILL_HELD = /pre-existing shared memory block|lock file "postmaster.pid" already exists/;
const HELD_RETRIES = 40;
const HELD_PAUSE_MS = 250;

const startPatiently = async (guardian: Guardian, spec: ServiceSpec): Promise<void> => {
  for (let attempt = 1; ; attempt++) {
    try {
      await guardian.start(spec);
      return;
    } catch (error) {
      const isHeld = error instanceof LaunchError && STILL_HELD.test(error.output.join('\n'));
      if (!isHeld || attempt === HELD_RETRIES) throw error;
      await delay(HELD_PAUSE_MS);
    }
  }
};

/** Where the service's own database is. */
export const postgresUrl = (port: number, password: string): string =>
  `postgres://${DATABASE}:${password}@127.0.0.1:${port}/${DATABASE}`;

/**
 * Starts Postgres on 127.0.0.1:`port` with its files in `<dataDirectory>/postgres`, made when they are not there.
 * Gives the URL of the database `chronoflag` for the role that owns it (no superuser; it may create databases).
 * @throws LaunchError, StartupError
 */
export const startPostgres = async (
  guardian: Guardian,
  dataDirectory: string,
  port: number,
  { postgresAdministrator, postgres: password }: Settings['passwords'],
): Promise<string> => {
  const cluster = join(dataDirectory, 'postgres');
  const binaries = await postgresBinaries();
  const account = postgresAccount(cluster);
  if (!existsSync(cluster)) {
    await createCluster({ guardian, binaries, account, cluster, password: postgresAdministrator });
  }
  disownPostmasterPid(cluster);
  const settings = Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  await startPatiently(guardian, {
    name: 'Postgres',
    ...runAs(
      account,
      [binaries.postgres, '-D', cluster, '-p', String(port), ...settings],
      [cluster],
    ),
    env: { LC_ALL: 'C' }, // the line that says it is ready, in English
    ready: 'database system is ready to accept connections',
    mark: cluster,
    stopSignals: ['SIGINT', 'SIGQUIT'], // fast shutdown: ends sessions, writes a checkpoint; then immediate
    graceMs: 8_000,
  });
  await ensureDatabase({ port, administratorPassword: postgresAdministrator, password });
  return postgresUrl(port, password);
};

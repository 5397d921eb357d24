import {
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { type Settings } from './data-directory.js';
import { type Guardian, LaunchError, type ServiceSpec } from './guardian/client.js';
import { commandLine } from './guardian/lock.js';
import {
  type Account,
  postgresAccount,
  type PostgresBinaries,
  postgresBinaries,
  runAs,
} from './postgres-account.js';

/** Beyond the largest id that Linux (2^22) and macOS (99998) give to a process. */
const NOBODYS_PID = '99999999';

type ClusterOptions = Readonly<{
  guardian: Guardian;
  binaries: PostgresBinaries;
  account: Account | undefined;
  /** The folder to make. */
  cluster: string;
  /** Password of the superuser `postgres`. */
  password: string;
}>;

/**
 * Makes the files of a Postgres server: UTF-8, text ordered by code point on every machine, checksums on.
 * They are made beside `cluster` and renamed when complete and on disk, so that a start that is cut off leaves no half.
 * @throws LaunchError when initdb fails.
 */
const createCluster = async (options: ClusterOptions): Promise<void> => {
  const { guardian, binaries, account, cluster, password } = options;
  const unfinished = `${cluster}.new`;
  const files = join(unfinished, 'cluster');
  const passwordFile = join(unfinished, 'password');
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { mode: 0o700 });
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (account !== undefined) {
    for (const path of [unfinished, passwordFile]) chownSync(path, account.uid, account.gid);
  }
  const locale = [
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--encoding=UTF8',
  ];
  const access = ['--username=postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256'];
  await guardian.run({
    name: 'initdb',
    ...runAs(account, [binaries.initdb, `--pgdata=${files}`, ...access, ...locale], [unfinished]),
    env: { LC_ALL: 'C' },
    mark: unfinished,
    stopSignals: ['SIGTERM'],
    graceMs: 2_000,
  });
  renameSync(files, cluster);
  rmSync(unfinished, { recursive: true });
};

/**
 * After a crash Postgres takes a living process with the id in postmaster.pid for itself and refuses to start, and in
 * a container ids come again at every start. We hold the data directory's lock, so: when that id is now another
 * program's, put one there that is nobody's. The rest of the file stays, with the shared memory segment that Postgres
 * checks for surviving backends.
 */
const disownPostmasterPid = (cluster: string): void => {
  const file = join(cluster, 'postmaster.pid');
  if (!existsSync(file)) return;
  const [pid = '', ...rest] = readFileSync(file, 'utf8').split('\n');
  const running = commandLine(Number(pid));
  if (running !== '' && !running.includes(cluster))
    writeFileSync(file, [NOBODYS_PID, ...rest].join('\n'));
};

/** Name of the database and of the role that owns it. */
const DATABASE = 'chronoflag';

const CONNECT_TIMEOUT_MS = 10_000;
const INVALID_CATALOG_NAME = '3D000'; // there is no such database
const INVALID_PASSWORD = '28P01'; // there is no such role (Postgres does not tell the two apart)

type Access = Readonly<{ port: number; administratorPassword: string; password: string }>;

const connect = async (port: number, user: string, password: string, database: string) => {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user,
    password,
    database,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: CONNECT_TIMEOUT_MS,
  });
  client.on('error', () => undefined); // the connection is short; what matters fails a query
  await client.connect();
  return client;
};

const isThere = async ({ port, password }: Access): Promise<boolean> => {
  try {
    const client = await connect(port, DATABASE, password, DATABASE);
    await client.end();
    return true;
  } catch (error) {
    const code = error instanceof pg.DatabaseError ? error.code : undefined;
    if (code === INVALID_CATALOG_NAME || code === INVALID_PASSWORD) return false;
    throw error;
  }
};

/**
 * Makes the role and its database unless they can be connected to already. The role is no superuser, whom row-level
 * security would not hold back; it may create databases, for tests and rebuilds.
 */
const ensureDatabase = async (access: Access): Promise<void> => {
  if (await isThere(access)) return;
  const client = await connect(access.port, 'postgres', access.administratorPassword, 'postgres');
  try {
    const { rowCount } = await client.query('select 1 from pg_roles r where r.rolname = $1', [
      DATABASE,
    ]);
    const password = client.escapeLiteral(access.password);
    const verb = rowCount === 0 ? 'create' : 'alter';
    await client.query(`${verb} role ${DATABASE} login createdb password ${password}`);
    const { rowCount: databases } = await client.query(
      'select 1 from pg_database d where d.datname = $1',
      [DATABASE],
    );
    if (databases === 0) await client.query(`create database ${DATABASE} owner ${DATABASE}`);
  } finally {
    await client.end();
  }
};

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

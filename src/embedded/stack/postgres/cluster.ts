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
import { type Guardian } from '../guardian/client.js';
import { commandLine } from '../guardian/process-table.js';
import { runAs, type Account } from './account.js';
import { type PostgresBinaries } from './binaries.js';

/** Beyond the largest id that Linux (2^22) and macOS (99998) give to a process. */
const NOBODYS_PID = '99999999';

type ClusterOptions = Readonly<{
  guardian: Guardian;
  binaries: PostgresBinaries;
  account: Account | undefined;
  /** The folder to make. */
  cluster: string;
  /** Of the superuser `postgres`. */
  password: string;
}>;

/**
 * Makes the files of a Postgres server: UTF-8, text ordered by code point on every machine, checksums on.
 * They are made beside `cluster` and renamed when complete and on disk, so that a start that is cut off leaves no half.
 * @throws LaunchError when initdb fails.
 */
export const createCluster = async (options: ClusterOptions): Promise<void> => {
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
export const disownPostmasterPid = (cluster: string): void => {
  const file = join(cluster, 'postmaster.pid');
  if (!existsSync(file)) return;
  const [pid = '', ...rest] = readFileSync(file, 'utf8').split('\n');
  const running = commandLine(Number(pid));
  if (running !== '' && !running.includes(cluster))
    writeFileSync(file, [NOBODYS_PID, ...rest].join('\n'));
};

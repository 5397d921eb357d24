import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeDurably } from '../data-directory.js';
import { type Guardian } from '../guardian/client.js';

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

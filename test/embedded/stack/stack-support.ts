import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import pg from 'pg';
import { type Test } from 'tap';
import {
  startLocalStack,
  StartupError,
  type LocalStack,
  type StackOptions,
} from '../../../src/embedded/stack/stack.js';
import { commandLine } from '../../../src/embedded/stack/guardian/lock.js';

export const program = (name: string): string =>
  fileURLToPath(new URL(`programs/${name}`, import.meta.url));

export const NOTHING = { eventStore: false, postgres: false, redis: false };

/** A folder that is removed after everything that the test starts in it has ended (tap's own goes before). */
export const temporaryFolder = (t: Test): string => {
  const ignored = fileURLToPath(new URL('../../../.data/', import.meta.url));
  mkdirSync(ignored, { recursive: true });
  const folder = mkdtempSync(join(ignored, 'stack-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
};

/** Resolves when `condition` holds; tap's time limit is the only other way out. */
export const until = async (condition: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await condition())) await delay(20);
};

/** A stack that is stopped at the end of the test, and the lines it logged. */
export const startStack = async (
  t: Test,
  options: Partial<StackOptions> & Pick<StackOptions, 'dataDirectory'>,
): Promise<LocalStack & { logged: string[] }> => {
  const logged: string[] = [];
  const log = {
    info: (line: string) => logged.push(line),
    warn: (line: string) => logged.push(line),
  };
  const stack = await startLocalStack({ needs: NOTHING, log, ...options });
  t.teardown(() => stack.stop());
  return { ...stack, logged };
};

/** The message with which a start is refused; fails the test when it is not, or not in one line. */
export const refusal = async (
  t: Test,
  options: Partial<StackOptions> & Pick<StackOptions, 'dataDirectory'>,
): Promise<string> => {
  try {
    await startStack(t, options);
    t.fail('the stack started');
    return '';
  } catch (error) {
    t.ok(error instanceof StartupError, 'a StartupError');
    const message = error instanceof Error ? error.message : '';
    t.notMatch(message, /\n/, 'one line');
    return message;
  }
};

export const query = async (url: string | undefined, sql: string): Promise<unknown[][]> => {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<unknown[]>({ text: sql, rowMode: 'array' })).rows;
  } finally {
    await client.end();
  }
};

export const redisCommand = async (
  url: string | undefined,
  ...command: string[]
): Promise<unknown> => {
  const redis = new Redis(url ?? '', { maxRetriesPerRequest: 1 });
  redis.on('error', () => undefined);
  try {
    return await redis.call(command[0]!, ...command.slice(1));
  } finally {
    redis.disconnect();
  }
};

type Recorded = { pid: number; mark: string };

const recorded = (dataDirectory: string): Recorded[] =>
  JSON.parse(readFileSync(join(dataDirectory, 'processes.json'), 'utf8')) as Recorded[];

/** The services' processes on a data directory, and their guardian. */
export const processes = (dataDirectory: string): { guardian: number; services: Recorded[] } => {
  const services = recorded(dataDirectory);
  const stat = readFileSync(`/proc/${services[0]!.pid}/stat`, 'utf8');
  return { services, guardian: Number(stat.slice(stat.lastIndexOf(')')).split(' ')[2]) };
};

/** Whether the process still is what it was recorded as. */
export const lives = ({ pid, mark }: Recorded): boolean => commandLine(pid).includes(mark);

export const pidOf = (dataDirectory: string, mark: RegExp): number =>
  processes(dataDirectory).services.find((one) => mark.test(one.mark))!.pid;

/** A service in a process of its own, on a stack with Postgres and Redis; killed at the end of the test. */
export const startOwner = async (
  t: Test,
  dataDirectory: string,
): Promise<{ child: ChildProcess; lines: string[]; databaseUrl: string; redisUrl: string }> => {
  const child = spawn(process.execPath, [program('owner.mjs'), dataDirectory], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true, // its own process group, as a terminal gives
  });
  t.teardown(async () => {
    child.kill('SIGKILL');
    await until(() => !existsSync(dataDirectory) || recorded(dataDirectory).length === 0);
  });
  const lines: string[] = [];
  const output = createInterface({ input: child.stdout });
  output.on('line', (line) => lines.push(line));
  const [first] = (await once(output, 'line')) as [string];
  const urls = JSON.parse(first) as { databaseUrl: string; redisUrl: string };
  return { child, lines, ...urls };
};

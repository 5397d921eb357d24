import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type LocalStack, startLocalStack } from '../../src/embedded/stack/stack.js';
import { type Bench, freePort } from './bench.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const quiet = (): void => undefined;

export type Backends = Readonly<{ eventStoreUrl: string; databaseUrl: string; redisUrl: string }>;

/** Runs a script of this package with Node to its end. @throws when it fails. @returns what it printed */
export const runScript = async (
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> => {
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`node ${args.join(' ')} ended with ${String(code)}: ${output}`);
  return output;
};

/** Transpiles src/ to dist/, which the services run from. */
export const build = (): Promise<string> => runScript(['scripts/build.mjs']);

const given = (url: string | undefined): string => {
  if (url === undefined) throw new Error('A service has no URL.');
  return url;
};

const urlsOf = (stack: LocalStack): Backends => ({
  eventStoreUrl: given(stack.eventStoreUrl),
  databaseUrl: given(stack.databaseUrl),
  redisUrl: given(stack.redisUrl),
});

/** Event store, Postgres and Redis of the benchmark's own. */
export const startBackends = async ({ folder, atEnd }: Bench): Promise<Backends> => {
  const stack = await startLocalStack({
    dataDirectory: join(folder, 'stack'),
    needs: { eventStore: true, postgres: true, redis: true },
    log: { info: quiet, warn: quiet },
  });
  atEnd(() => stack.stop());
  return urlsOf(stack);
};

export type Service = Readonly<{
  url: string;
  pid: number;
  /** Set by the first start on empty services. */
  credential: string | undefined;
  serverKey: string | undefined;
  stop: () => Promise<void>;
}>;

export type ServiceOptions = Readonly<{
  role?: 'all' | 'api' | 'projector';
  /** Absent: it brings its own. */
  backends?: Backends;
  /** @defaultValue a folder of its own */
  dataDirectory?: string;
  program?: readonly string[];
}>;

const urlVariables = ({ eventStoreUrl, databaseUrl, redisUrl }: Backends) => ({
  EVENTSTORE_URL: eventStoreUrl,
  DATABASE_URL: databaseUrl,
  REDIS_URL: redisUrl,
});

/** What the service says when it listens; empty lines are before and after. */
const welcomeOf = async (output: Readable): Promise<string> => {
  let text = '';
  for await (const chunk of output.iterator({ destroyOnReturn: false })) {
    text += String(chunk);
    if (/ready on [^]*\n\n/.test(text)) break;
  }
  output.resume();
  return text;
};

/** Limits would be measured instead of what they limit. */
const UNLIMITED = {
  RATE_LIMIT_COMMANDS: 'off',
  RATE_LIMIT_TENANT_COMMANDS: 'off',
  RATE_LIMIT_QUERIES: 'off',
  RATE_LIMIT_TENANT_QUERIES: 'off',
  RATE_LIMIT_PUBLIC: 'off',
  QUOTA_INSTALLATION_BYTES: 'off',
  MAX_STREAMS_PER_ADDRESS: '1000000',
  RATE_LIMIT_EVALUATION: 'off',
  RATE_LIMIT_CLIENT_EVALUATION: 'off',
};

let started = 0;

const environmentOf = async (
  folder: string,
  { role = 'all', backends, dataDirectory }: ServiceOptions,
): Promise<NodeJS.ProcessEnv> => {
  started += 1;
  return {
    ...process.env,
    ...UNLIMITED,
    ROLE: role,
    PORT: String(await freePort()),
    DATA_DIRECTORY: dataDirectory ?? join(folder, `process-${started}`),
    LOG_LEVEL: 'warn',
    MASTER_KEY: createHash('sha256').update('of the benchmarks').digest('base64'),
    // A round of creations makes more flags than a project may have.
    QUOTA_FLAGS: '1000000',
    ...(backends && urlVariables(backends)),
  };
};

/** One process of the service, as `npm start` runs it; resolves when it listens. */
export const startService = async (
  { folder, atEnd }: Bench,
  options: ServiceOptions = {},
): Promise<Service> => {
  const { program = ['dist/main.js'] } = options;
  const child = spawn(process.execPath, program, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: await environmentOf(folder, options),
  });
  const ended = once(child, 'exit');
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
  };
  atEnd(stop);
  const welcome = await Promise.race([welcomeOf(child.stdout), ended.then(() => '')]);
  const url = /ready on (\S+)/.exec(welcome)?.[1];
  if (url === undefined || child.pid === undefined) throw new Error('The service did not start.');
  return {
    url,
    pid: child.pid,
    credential: /cf_admin_\w+/.exec(welcome)?.[0],
    serverKey: /cf_srv_\w+/.exec(welcome)?.[0],
    stop,
  };
};

/** CPU time that a process has used so far, in milliseconds; Linux only. */
export const cpuMsOf = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(stat[11]) + Number(stat[12])) * 10;
};

/** Resident memory of a process in MB (10^6 bytes); Linux only. */
export const residentMbOf = (pid: number): number => {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return (Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1_024) / 1e6;
};

import { connect } from 'node:net';
import { type Logger } from 'pino';
import { type Config } from '../config.js';
import {
  type ConnectionLog,
  type KurrentConnection,
  kurrentConnection,
} from '../infrastructure/kurrent/kurrent-connection.js';
import {
  runningStack,
  startLocalStack,
  StartupError,
  type StackLog,
  type StackOptions,
  type StackUrls,
} from '../embedded/stack.js';

/** Where the three backing services are, and how to let go of those that are ours. */
export type Services = Readonly<{
  eventStoreUrl: string;
  databaseUrl: string;
  redisUrl: string;
  stop: () => Promise<void>;
}>;

const REACH_TIMEOUT_MS = 3_000;

const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  'esdb:': 2113,
  'esdb+discover:': 2113,
  'kurrentdb:': 2113,
  'kurrentdb+discover:': 2113,
  'postgres:': 5432,
  'postgresql:': 5432,
  'redis:': 6379,
  'rediss:': 6379,
};

const answers = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port, timeout: REACH_TIMEOUT_MS });
    const end = (isThere: boolean) => () => {
      socket.destroy();
      resolve(isThere);
    };
    socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false));
  });

/** The connection to the event store that every part of a process uses. */
export const connectEventStore = (
  { eventStorePrefix: prefix }: Config,
  url: string,
  log?: ConnectionLog,
): KurrentConnection => kurrentConnection(url, { prefix, ...(log && { log }) });

/** Its first host is the one that clients dial first. */
const isReachable = async (url: string): Promise<boolean> => {
  const [, scheme = '', host = '', port] =
    /^([a-z+]+:)\/\/(?:[^@/]*@)?(\[[^\]]+\]|[^:/?,]+)(?::(\d+))?/.exec(url) ?? [];
  return answers(host.replace(/^\[|\]$/g, ''), Number(port ?? DEFAULT_PORTS[scheme] ?? 0));
};

const CONFIGURED = [
  ['EVENTSTORE_URL', 'eventStoreUrl', 'the event store'],
  ['DATABASE_URL', 'databaseUrl', 'Postgres'],
  ['REDIS_URL', 'redisUrl', 'Redis'],
] as const;

/** Names of the configured services that do not accept a connection, for people. */
export const unreachableServices = async (config: Config): Promise<readonly string[]> => {
  const found = await Promise.all(
    CONFIGURED.map(async ([variable, key, name]) => {
      const url = config[key];
      return url === undefined || (await isReachable(url)) ? [] : [`${name} (${variable})`];
    }),
  );
  return found.flat();
};

const given = (url: string | undefined): string => {
  if (url === undefined) throw new StartupError('a local service did not tell where it is');
  return url;
};

const stackOf = async (
  { dataDirectory }: Config,
  needs: StackOptions['needs'],
  { log, joins }: ProvideOptions,
): Promise<Partial<StackUrls> & { stop?: () => Promise<void> }> => {
  if (!Object.values(needs).includes(true)) return {};
  const running = joins ? await runningStack(dataDirectory, needs) : undefined;
  if (running !== undefined) return running;
  const { eventStoreUrl, databaseUrl, redisUrl, stop } = await startLocalStack({
    dataDirectory,
    needs,
    log,
  });
  return {
    ...(eventStoreUrl !== undefined && { eventStoreUrl }),
    ...(databaseUrl !== undefined && { databaseUrl }),
    ...(redisUrl !== undefined && { redisUrl }),
    stop,
  };
};

export type ProvideOptions = Readonly<{
  log: StackLog;
  /** Use the services that a running process has on this data directory, instead of being refused. */
  joins: boolean;
}>;

/** Starts, in the data directory, every service that has no URL. @throws StartupError */
export const provideServices = async (
  config: Config,
  options: ProvideOptions,
): Promise<Services> => {
  const needs = {
    eventStore: config.eventStoreUrl === undefined,
    postgres: config.databaseUrl === undefined,
    redis: config.redisUrl === undefined,
  };
  const stack = await stackOf(config, needs, options);
  return {
    eventStoreUrl: given(config.eventStoreUrl ?? stack.eventStoreUrl),
    databaseUrl: given(config.databaseUrl ?? stack.databaseUrl),
    redisUrl: given(config.redisUrl ?? stack.redisUrl),
    stop: async () => stack.stop?.(),
  };
};

/** The stack's log, in the service's. */
export const stackLog = (log: Logger): StackLog => ({
  info: (message) => {
    log.info(message);
  },
  warn: (message) => {
    log.warn(message);
  },
});

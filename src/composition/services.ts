import { type Logger } from 'pino';
import { type Config } from '../config.js';
import {
  checkEventStore,
  checkPostgres,
  checkRedis,
  type EventStoreUse,
  reasonOf,
} from '../infrastructure/check-services.js';
import {
  type ConnectionLog,
  type KurrentConnection,
  kurrentConnection,
} from '../infrastructure/kurrent/connection.js';
import {
  runningStack,
  startLocalStack,
  StartupError,
  type StackLog,
  type StackOptions,
  type StackUrls,
} from '../embedded/stack/stack.js';

/** Where the three backing services are, and how to let go of those that are ours. */
export type Services = Readonly<{
  eventStoreUrl: string;
  databaseUrl: string;
  redisUrl: string;
  stop: () => Promise<void>;
}>;

/** What a program asks of the services. Absent: nothing. */
export type Uses = Readonly<{ eventStore?: EventStoreUse; postgres?: true; redis?: true }>;

type Trouble = Readonly<{ service: string; reason: string }>;

/** @returns why a configured service cannot be used; undefined when it can */
const troubleWith = async (
  [service, url]: readonly [name: string, url: string | undefined],
  check: (url: string) => Promise<void>,
): Promise<Trouble | undefined> => {
  if (url === undefined) return undefined;
  try {
    await check(url);
    return undefined;
  } catch (error) {
    return { service, reason: reasonOf(error) };
  }
};

/** The connection to the event store that every part of a process uses. */
export const connectEventStore = (
  { eventStorePrefix: prefix, eventStoreTimeoutMs: timeoutMs, extraCaFile }: Config,
  url: string,
  log?: ConnectionLog,
): KurrentConnection =>
  kurrentConnection(url, { prefix, timeoutMs, extraCaFile, ...(log && { log }) });

/** What keeps this process from using the configured services, each asked now, with its login. */
export const unusableServices = async (config: Config, uses: Uses): Promise<readonly Trouble[]> => {
  const { eventStore: use, postgres, redis } = uses;
  const found = await Promise.all([
    use &&
      troubleWith(['the event store (EVENTSTORE_URL)', config.eventStoreUrl], async (url) => {
        const connection = connectEventStore(config, url);
        await checkEventStore(connection, use).finally(connection.close);
      }),
    postgres && troubleWith(['Postgres (DATABASE_URL)', config.databaseUrl], checkPostgres),
    redis && troubleWith(['Redis (REDIS_URL)', config.redisUrl], checkRedis),
  ]);
  return found.filter((one) => one !== undefined);
};

export const unusable = (troubles: readonly Trouble[]): StartupError =>
  new StartupError(
    `cannot use ${troubles.map(({ service, reason }) => `${service}: ${reason}`).join('; ')}`,
  );

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
  /** Those of the configured services that must answer first. @defaultValue none */
  uses?: Uses;
}>;

/** Starts, in the data directory, every service that has no URL. @throws StartupError */
export const provideServices = async (
  config: Config,
  options: ProvideOptions,
): Promise<Services> => {
  const troubles = await unusableServices(config, options.uses ?? {});
  if (troubles.length > 0) throw unusable(troubles);
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

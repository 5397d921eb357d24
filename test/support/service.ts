import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type pg from 'pg';
import { type Logger } from 'pino';
import { type Test } from 'tap';
import { type FirstCredentials } from '../../src/composition/first-start.js';
import {
  type RunningService,
  startService,
  type StopCause,
} from '../../src/composition/service.js';
import { loadConfig } from '../../src/config.js';
import { startEventStore } from '../../src/embedded/event-store/start.js';
import { keepKeyFiles, keepSecret, testLogger } from './canary.js';
import { testDatabase } from './database.js';
import { gatherStores } from './store-contents.js';
import { until } from './until.js';
import { invitationInbox, type InvitationInbox } from './invitation-inbox.js';
import { WIDE_LIMITS } from './limits.js';
import { httpClient, type HttpClient } from './http-client.js';

const redisUrl = (): string => {
  const url = process.env['TEST_REDIS_URL'];
  if (url === undefined) throw new Error('TEST_REDIS_URL is not set.');
  return url;
};

/** Gathers what there is, then removes it. */
const removeKeys = async (prefix: string, pool: pg.Pool, logFolder: string): Promise<void> => {
  const redis = new Redis(redisUrl());
  const keys = await redis.keys(`*${prefix}*`);
  await gatherStores(pool, redis, { keys, logFolder });
  if (keys.length > 0) await redis.del(keys);
  redis.disconnect();
};

export type OtherProcess = HttpClient & Pick<RunningService, 'url' | 'recordStart' | 'stop'>;

export type TestService = OtherProcess &
  Readonly<{
    credential: string;
    serverKey: string;
    /** Where its invitations are delivered. */
    inbox: InvitationInbox;
    /** What it was started with. */
    environment: Readonly<Record<string, string>>;
    /** Ends it, and the event store, whose log is in the folder `log` of the data directory; the rest stays. */
    stop: () => Promise<void>;
    /** Where it keeps all that it keeps. */
    stores: Readonly<
      Record<'folder' | 'eventStoreUrl' | 'databaseUrl' | 'redisUrl' | 'prefix', string>
    >;
    /** One more process of role `api` on the same backing services, with a data directory of its own. */
    startAnother: (variables?: Readonly<Record<string, string>>) => Promise<OtherProcess>;
  }>;

/**
 * The whole service in this process, as main.ts composes it, with an event store, a database and Redis keys of its
 * own: its log begins with its own first start. Stopped, and all of it removed, when the test file ends.
 */
export const testService = async (
  t: Test,
  variables: Readonly<Record<string, string>> = {},
  log: Logger = testLogger(),
): Promise<TestService> => {
  const folder = mkdtempSync(join(tmpdir(), 'chronoflag-e2e-'));
  const prefix = `e2e-${randomBytes(6).toString('hex')}`;
  const store = await startEventStore({
    folder: join(folder, 'log'),
    port: 0,
    maxAppendBytes: 16_000_000,
  });
  const inbox = await invitationInbox();
  const { url: databaseUrl, pool } = await testDatabase(t);
  const environment = {
    PORT: '0',
    DATA_DIRECTORY: folder,
    EVENTSTORE_URL: store.url,
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl(),
    REDIS_PREFIX: prefix,
    MASTER_KEY: randomBytes(32).toString('base64'),
    INVITATION_WEBHOOK: inbox.url,
    ...WIDE_LIMITS,
    ...variables,
  };
  const shown: FirstCredentials[] = [];
  const { url, recordStart, stop } = await startService(loadConfig(environment), log, (issued) => {
    shown.push(issued);
  });
  const { admin: credential, server: serverKey } = shown[0] ?? {};
  if (credential === undefined || serverKey === undefined)
    throw new Error('The first start gave no credentials.');
  const password = new URL(databaseUrl).password;
  keepSecret(credential, serverKey, password, environment.MASTER_KEY);
  const client = httpClient(url, credential);
  const others: (() => Promise<void>)[] = [];
  let stopping: Promise<void> | undefined;
  const stopAll = async (): Promise<void> => {
    client.disconnect();
    for (const stopOther of others) await stopOther();
    await stop();
    await inbox.close();
    await store.close();
  };
  const stopOnce = (): Promise<void> => (stopping ??= stopAll());
  t.teardown(async () => {
    await stopOnce();
    keepKeyFiles(folder);
    await removeKeys(prefix, pool, join(folder, 'log'));
    rmSync(folder, { recursive: true, force: true });
  });
  await until(
    'the demo project can be read',
    async () => (await client.get('/projects/demo')).status === 200,
  );
  const startAnother = async (more = {}): Promise<OtherProcess> => {
    const dataDirectory = join(folder, randomUUID());
    const own = { ...environment, ROLE: 'api', DATA_DIRECTORY: dataDirectory, ...more };
    const other = await startService(loadConfig(own), testLogger(), () => undefined);
    const otherClient = httpClient(other.url, credential);
    let isStopped = false;
    const stopOther = async (cause?: StopCause): Promise<void> => {
      if (isStopped) return;
      isStopped = true;
      otherClient.disconnect();
      await other.stop(cause);
    };
    others.push(stopOther);
    const { url: at, recordStart } = other;
    return { ...otherClient, url: at, recordStart, stop: stopOther };
  };
  const stores = { folder, eventStoreUrl: store.url, databaseUrl, redisUrl: redisUrl(), prefix };
  return {
    url,
    recordStart,
    credential,
    serverKey,
    environment,
    inbox,
    stores,
    stop: stopOnce,
    startAnother,
    ...client,
  };
};

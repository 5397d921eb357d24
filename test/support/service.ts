import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { type Test } from 'tap';
import { startService } from '../../src/composition/service.js';
import { loadConfig } from '../../src/config.js';
import { startEventStore } from '../../src/embedded/event-store/start.js';
import { testDatabase } from './database.js';
import { until } from './until.js';
import { httpClient, type HttpClient } from './http-client.js';

const redisUrl = (): string => {
  const url = process.env['TEST_REDIS_URL'];
  if (url === undefined) throw new Error('TEST_REDIS_URL is not set.');
  return url;
};

const removeKeys = async (url: string, prefix: string): Promise<void> => {
  const redis = new Redis(url);
  const keys = await redis.keys(`*${prefix}*`);
  if (keys.length > 0) await redis.del(keys);
  redis.disconnect();
};

export type TestService = HttpClient &
  Readonly<{ url: string; credential: string; serverKey: string }>;

/**
 * The whole service in this process, as main.ts composes it, with an event store, a database and Redis keys of its
 * own: its log begins with its own first start. Stopped, and all of it removed, when the test file ends.
 */
export const testService = async (
  t: Test,
  variables: Readonly<Record<string, string>> = {},
): Promise<TestService> => {
  const folder = mkdtempSync(join(tmpdir(), 'chronoflag-e2e-'));
  const prefix = `e2e-${randomBytes(6).toString('hex')}`;
  const store = await startEventStore({ folder: join(folder, 'log'), port: 0 });
  const { url: databaseUrl } = await testDatabase(t);
  const config = loadConfig({
    PORT: '0',
    DATA_DIRECTORY: folder,
    EVENTSTORE_URL: store.url,
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl(),
    REDIS_PREFIX: prefix,
    ...variables,
  });
  const { url, credentials, stop } = await startService(
    config,
    pino({ level: 'silent' }),
    () => undefined,
  );
  const { admin: credential, server: serverKey } = credentials ?? {};
  if (credential === undefined || serverKey === undefined)
    throw new Error('The first start gave no credentials.');
  const client = httpClient(url, credential);
  t.teardown(async () => {
    client.disconnect();
    await stop();
    await store.close();
    await removeKeys(redisUrl(), prefix);
    rmSync(folder, { recursive: true, force: true });
  });
  await until(
    'the demo project can be read',
    async () => (await client.get('/projects/demo')).status === 200,
  );
  return { url, credential, serverKey, ...client };
};

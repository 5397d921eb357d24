import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'tap';
import { freePort, isFree, StartupError } from '../../../src/embedded/stack/data-directory.js';
import { findRedis, installRedis } from '../../../src/embedded/stack/redis.js';
import { NOTHING, program, refusal, startStack, temporaryFolder } from './stack-support.js';

const EVENT_STORE = { ...NOTHING, eventStore: true };

test('ports are chosen below those that outgoing connections get', async (t) => {
  const port = await freePort();
  t.ok(port >= 20_000 && port < 32_768, `${port}`);
  t.equal(await freePort(port), port, 'the one it had, when it is free');
  const squatter = createServer().listen(port, '127.0.0.1');
  await once(squatter, 'listening');
  t.teardown(() => squatter.close());
  t.equal(await isFree(port), false);
  t.not(await freePort(port), port);
});

test('Redis is looked for on PATH, and a machine without one is told what to do', async (t) => {
  const folder = t.testdir({ 'redis-server': 'no program: it has no execute permission' });
  t.equal(findRedis(folder), undefined);
  t.match(findRedis(process.env['PATH'] ?? ''), /(redis|valkey)-server$/);
  const silent = { info: () => undefined, warn: () => undefined };
  await t.rejects(
    installRedis(folder, silent),
    new StartupError(
      'no Redis on this machine; install redis-server or valkey-server (5 or newer), or set REDIS_URL',
    ),
  );
  const needs = { ...NOTHING, redis: true };
  const dataDirectory = temporaryFolder(t);
  t.match(await refusal(t, { dataDirectory, needs, searchPath: folder }), /set REDIS_URL/);
  await startStack(t, { dataDirectory, needs }); // the failed start has left the directory free
});

test('a data directory that cannot be made is refused', async (t) => {
  const file = join(t.testdir({ file: '' }), 'file');
  t.match(
    await refusal(t, { dataDirectory: join(file, 'data') }),
    /cannot be used \(ENOTDIR.*set DATA_DIRECTORY to a folder you may write to/,
  );
});

test('damaged settings are refused rather than replaced, for the data needs their passwords', async (t) => {
  const dataDirectory = temporaryFolder(t);
  writeFileSync(join(dataDirectory, 'stack.json'), '{"ports":');
  t.match(await refusal(t, { dataDirectory }), /stack\.json is damaged; restore it from a backup/);
});

test('an event store that is not built, or that fails, is told in its own words', async (t) => {
  const dataDirectory = temporaryFolder(t);
  const options = { dataDirectory, needs: EVENT_STORE };
  t.match(
    await refusal(t, { ...options, eventStoreEntry: program('absent.mjs') }),
    /absent\.mjs is missing; run: npm run build/,
  );
  t.match(
    await refusal(t, { ...options, eventStoreEntry: program('failing-event-store.mjs') }),
    /event store did not start: event store: the log is damaged at position 42/,
  );
});

test('Postgres that cannot start says why', async (t) => {
  const dataDirectory = temporaryFolder(t);
  mkdirSync(join(dataDirectory, 'postgres')); // no server's files
  t.match(
    await refusal(t, { dataDirectory, needs: { ...NOTHING, postgres: true } }),
    /Postgres did not start: .*postgresql\.conf.*; data directory: /,
  );
});

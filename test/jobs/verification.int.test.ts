import { EventEmitter, once } from 'node:events';
import { Redis } from 'ioredis';
import { test, type Test } from 'tap';
import { readinessOf } from '../../src/composition/readiness.js';
import { startVerificationJob } from '../../src/jobs/verification.js';
import { NOTHING_COMPARED, type StoresVerification } from '../../src/domain/verification.js';
import { testLogger } from '../support/canary.js';
import { redisServer } from '../support/redis-server.js';
import { until } from '../support/until.js';

const EQUAL: StoresVerification = {
  organizations: 2,
  readModel: { ...NOTHING_COMPARED, streams: 3, rows: { flag: 2 } },
  redis: { environments: 1, entries: 2, differences: [] },
};
const DIFFERENT: StoresVerification = {
  ...EQUAL,
  readModel: {
    ...EQUAL.readModel,
    differences: [{ table: 'flag', key: { key: 'checkout' }, column: 'name' }],
  },
};

test('verification runs once an interval in the whole installation, and tells what it found', async (t) => {
  const server = await redisServer();
  t.teardown(server.stop);
  await server.start();
  const runs: string[] = [];
  const told: string[] = [];
  const note = (level: string) => (_: object, message: string) => {
    told.push(`${level} ${message}`);
  };
  const log = { info: note('info'), warn: note('warn'), error: note('error') };
  const workerOf = (name: string, found: StoresVerification) => {
    const job = startVerificationJob({
      redisUrl: server.url,
      prefix: 'test',
      everyMs: 3_600_000,
      againMs: 3_600_000,
      log,
      verify: async () => {
        runs.push(name);
        return found;
      },
    });
    t.teardown(job.stop);
    return job;
  };

  const first = workerOf('first', DIFFERENT);
  await until('the first run', () => runs.length > 0);
  await until('it is told', () => first.status() !== undefined);
  t.match(first.status(), {
    organizations: 2,
    readModel: { rows: { flag: 2 }, differences: [{ table: 'flag' }] },
  });
  t.ok(told.includes('error the read model or Redis differs from the log'));

  const second = workerOf('second', EQUAL);
  const redis = new Redis(server.url);
  t.teardown(() => {
    redis.disconnect();
  });
  await until('both workers wait for jobs', async () => {
    const clients = String(await redis.call('CLIENT', 'LIST'));
    return clients.split('\n').filter((line) => line.includes('cmd=bzpopmin')).length === 2;
  });
  t.strictSame(runs, ['first'], 'a second worker does not run it again in the same interval');
  t.equal(second.status(), undefined);
});

/** A job of its own Redis, whose runs find these one after the other, and what /ready says of it. */
const jobThatFinds = async (t: Test, ...found: readonly (() => Promise<StoresVerification>)[]) => {
  const server = await redisServer();
  t.teardown(server.stop);
  await server.start();
  const told: string[] = [];
  const note = (_: object, message: string): void => {
    told.push(message);
  };
  const runs = { count: 0 };
  const job = startVerificationJob({
    redisUrl: server.url,
    prefix: 'test',
    everyMs: 3_600_000,
    againMs: 10,
    log: { info: note, warn: note, error: note },
    verify: async () => {
      runs.count += 1;
      return (found[runs.count - 1] ?? found.at(-1))!();
    },
  });
  t.teardown(job.stop);
  const parts = readinessOf(
    () => ({ verification: job.status }),
    () => ({}),
    testLogger(),
  );
  const ready = async () => (await parts())[0];
  return { job, told, runs, ready };
};

test('who found differences looks again, until there are none', async (t) => {
  const gate = new EventEmitter();
  const { told, runs, job, ready } = await jobThatFinds(
    t,
    async () => DIFFERENT,
    () => Promise.reject(new Error('Postgres is away')),
    async () => {
      await once(gate, 'open');
      return DIFFERENT;
    },
    async () => EQUAL,
  );
  await until('it looks a third time', () => runs.count === 3);
  t.match(await ready(), { isReady: false, details: { differences: 1 } });
  gate.emit('open');
  await until('nothing differs any more', () => told.includes('the read model equals the log'));
  t.strictSame(told, [
    'the read model or Redis differs from the log',
    'verification could not finish',
    'the read model or Redis differs from the log',
    'the read model equals the log',
  ]);
  t.match(job.status(), EQUAL);
  t.match(await ready(), { isReady: true, isDegraded: false, details: { differences: 0 } });
});

test('streams that somebody deleted for good are counted, and not looked for again', async (t) => {
  const readModel = { ...EQUAL.readModel, deleted: ['flag-acme:shop:a', 'flag-acme:shop:b'] };
  const { told, runs, ready } = await jobThatFinds(t, async () => ({ ...EQUAL, readModel }));
  await until('the first run', () => told.length > 0);
  t.strictSame(told, ['the read model or Redis differs from the log']);
  const degraded = { isReady: true, isDegraded: true, details: { deletedStreams: 2 } };
  t.match(await ready(), degraded);
  t.equal(runs.count, 1);
});

test('stopping does not wait for a Redis that is not there', async (t) => {
  const { url } = await redisServer();
  const told: string[] = [];
  const note = (_: object, message: string): void => {
    told.push(message);
  };
  const job = startVerificationJob({
    redisUrl: url,
    prefix: 'test',
    everyMs: 3_600_000,
    againMs: 3_600_000,
    log: { info: note, warn: note, error: note },
    verify: async () => EQUAL,
  });
  await until('it is noticed', () => told.includes('jobs are waiting for Redis'));
  await job.stop();
  t.pass('it has stopped');
});

import { Redis } from 'ioredis';
import { test } from 'tap';
import { startVerificationJob } from '../../src/jobs/verification.js';
import { NOTHING_COMPARED, type StoresVerification } from '../../src/domain/verification.js';
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
    log: { info: note, warn: note, error: note },
    verify: async () => EQUAL,
  });
  await until('it is noticed', () => told.includes('jobs are waiting for Redis'));
  await job.stop();
  t.pass('it has stopped');
});

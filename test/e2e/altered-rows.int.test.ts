import { Redis } from 'ioredis';
import { test, type Test } from 'tap';
import { startPersonalData } from '../../src/composition/personal-data.js';
import { masterKeyOf } from '../../src/composition/prepare.js';
import { verifyStores } from '../../src/composition/verify-stores.js';
import { loadConfig } from '../../src/config.js';
import { type StoresVerification } from '../../src/domain/verification.js';
import { kurrentEventLog } from '../../src/infrastructure/kurrent/event-log.js';
import { kurrentEventStore } from '../../src/infrastructure/kurrent/event-store.js';
import { kurrentConnection } from '../../src/infrastructure/kurrent/connection.js';
import { revealedSnapshot } from '../../src/infrastructure/personal-data/revealed-snapshot.js';
import { createPool } from '../../src/infrastructure/postgres/postgres.js';
import { redisLayout } from '../../src/infrastructure/redis/layout.js';
import { READ_MODELS } from '../../src/projections/read-models.js';
import { runVerify } from '../support/programs.js';
import { testService } from '../support/service.js';

type Environment = Readonly<Record<string, string>>;

/** The stores of the running service, and what the hourly job runs on them. */
const storesOf = async (t: Test, environment: Environment) => {
  const config = loadConfig(environment);
  const { databaseUrl = '', redisUrl = '', eventStoreUrl = '' } = config;
  const pool = createPool({ url: databaseUrl, use: 'maintenance', max: 4 });
  const connection = kurrentConnection(eventStoreUrl);
  const masterKey = await masterKeyOf(config);
  const personal = startPersonalData({
    databaseUrl,
    log: kurrentEventStore(connection),
    masterKey,
  });
  const redis = new Redis(redisUrl);
  t.teardown(async () => {
    redis.disconnect();
    await personal.stop();
    await pool.end();
    await connection.close();
  });
  const verify = verifyStores({
    ...{ pool, redisUrl, prefix: config.redisPrefix, log: kurrentEventLog(connection) },
    reveal: revealedSnapshot(personal),
  });
  return { pool, redis, layout: redisLayout(config.redisPrefix), verify };
};

const PARKED = `insert into parked_stream
  select stream, organization_id, category, 9, 9, 'X', recorded_at, 'x', 0, 9, 9
    from audit_event where stream = 'flag-default:demo:new-checkout' and revision = 0`;

/** One altered row of each table, whose stream is of the project `demo` where the table has such rows. */
const ALTERED: Readonly<Record<string, string>> = {
  audit_event: `update audit_event set actor_id = 'nobody' where stream = 'project-default:demo' and revision = 0`,
  audit_chain: `update audit_chain set hash = '\\x00' where position =
                  (select position from audit_event where stream = 'project-default:demo' and revision = 0)`,
  organization: `update organization set name = 'X' where organization_id = 'default'`,
  organization_revision: `update organization_revision set recorded_from = now() where revision = 0`,
  project: `update project set name = 'X' where project_id = 'default:demo'`,
  project_revision: `update project_revision set position_to = 1 where project_id = 'default:demo' and revision = 0`,
  flag: `update flag set name = 'TAMPERED' where project_id = 'default:demo'`,
  flag_revision: `update flag_revision set recorded_from = now() where project_id = 'default:demo'`,
  segment: `update segment set tags = '{x}' where project_id = 'default:demo'`,
  segment_revision: `delete from segment_revision where project_id = 'default:demo'`,
  parked_stream: PARKED,
  skipped_event: `insert into skipped_event values
    ('operations-default:skipped-events', 'default', 0, 9, now(), 'flag-default:demo:new-checkout', 9)`,
};

const OF_THE_ORGANIZATION = ['organization', 'organization_revision', 'skipped_event'];

test('one altered row of any table, or of Redis, is told by all who verify', async (t) => {
  const service = await testService(t);
  const { pool, redis, layout, verify } = await storesOf(t, service.environment);
  const variants = [
    { name: 'on', value: true },
    { name: 'off', value: false },
  ];
  const flag = { key: 'new-checkout', type: 'boolean', variants, defaultVariant: 'on' };
  await service.post('/projects/demo/flags', { body: { ...flag, offVariant: 'off' } });
  const made = await service.post<{ position: number }>('/projects/demo/segments', {
    body: { key: 'staff' },
  });
  const headers = { 'x-min-position': String(made.body.position) };

  type Answer = Readonly<{ stores: StoresVerification }>;
  const overRest = async () =>
    (await service.get<Answer>('/audit/verify', { headers })).body.stores;
  const ofProject = async () =>
    (
      await service.get<Readonly<{ agree: boolean; compared: StoresVerification['readModel'] }>>(
        '/projects/demo/verify',
        { headers },
      )
    ).body;

  const whole = await overRest();
  t.strictSame(whole.readModel.differences, []);
  t.strictSame(whole.redis?.differences, []);
  t.not(whole.redis?.entries, 0);
  t.equal((await ofProject()).agree, true);

  for (const { name } of READ_MODELS.flatMap(({ tables }) => tables))
    await t.test(`a row of ${name}`, async (t) => {
      await pool.query(`create table kept as table ${name}`);
      t.not((await pool.query(ALTERED[name] ?? '')).rowCount, 0);
      const isNamed = ({ differences }: StoresVerification['readModel']): boolean =>
        differences.some(({ table }) => table === name);
      t.ok(isNamed((await verify()).readModel), 'the hourly job');
      t.ok(isNamed((await overRest()).readModel), 'GET /audit/verify');
      if (!OF_THE_ORGANIZATION.includes(name)) {
        const { agree, compared } = await ofProject();
        t.ok(!agree && isNamed(compared), 'GET /projects/demo/verify');
      }
      const told = await runVerify(service.environment);
      t.match(told, new RegExp(`^1\n[^]*fold of the log: \\d+ differences[^]*table ${name},`));
      await pool.query(`truncate ${name}`);
      await pool.query(`insert into ${name} table kept`);
      await pool.query('drop table kept');
    });

  await t.test('an entry of Redis', async (t) => {
    const key = layout.rulesets('default:demo:production');
    const kept = (await redis.hget(key, 'new-checkout')) ?? '';
    await redis.hset(key, 'new-checkout', '{}');
    const isNamed = ({ redis }: StoresVerification): boolean =>
      redis?.differences.some((difference) => difference.includes('new-checkout')) === true;
    t.ok(isNamed(await verify()));
    t.ok(isNamed(await overRest()));
    t.match(await runVerify(service.environment), /^1\n[^]*new-checkout differs/);
    await redis.hset(key, 'new-checkout', kept);
  });

  t.match(await runVerify(service.environment), /fold of the log: agrees[^]*compared: /);
});

import { randomUUID } from 'node:crypto';
import { test, type Test } from 'tap';
import { type DomainEvent } from '../../src/domain/catalogue.js';
import { kurrentEventLog } from '../../src/infrastructure/kurrent/event-log.js';
import { kurrentEventStore } from '../../src/infrastructure/kurrent/event-store.js';
import { redisLayout } from '../../src/infrastructure/redis/layout.js';
import { createProjectorRedis } from '../../src/infrastructure/redis/snapshot.js';
import { startProjectors } from '../../src/infrastructure/start-projectors.js';
import { type LogBatch } from '../../src/projections/event-log.js';
import { loadCurrentStates } from '../../src/queries/evaluation/current-states.js';
import { nothingSealed } from '../support/personal-data.js';
import { testDatabase } from '../support/database.js';
import { connectService } from '../support/event-store.js';
import { eventually } from '../support/eventually.js';
import { flagContent, metadataOf } from '../support/histories.js';
import { silentLog } from '../support/live-projection.js';
import { testRedis } from '../support/redis.js';

/** One store serves all test files: only what this file writes is looked at. */
const organization = `org${randomUUID().slice(0, 8)}`;
const isOurs = ({ stream }: { stream: string }): boolean => stream.includes(organization);

const setUp = (t: Test) => {
  const connection = connectService(t);
  const store = kurrentEventStore(connection);
  const append = async (stream: string, expectedRevision: number, ...events: DomainEvent[]) =>
    store.append(
      stream,
      events.map((event) => ({ ...event, id: randomUUID() })),
      { expectedRevision, metadata: metadataOf(1) },
    );
  return { eventLog: kurrentEventLog(connection), append };
};

const enabled: DomainEvent = { type: 'FlagEnabled', data: { environment: 'production' } };

/** A project with one flag, and changes of it. */
const history = (project: string) => {
  const projectId = `${organization}:${project}`;
  const created: DomainEvent = {
    type: 'ProjectCreated',
    data: { organizationId: organization, key: project, name: project, description: '' },
  };
  const added: DomainEvent = {
    type: 'EnvironmentAdded',
    data: {
      environment: 'production',
      name: 'Production',
      description: '',
      color: '#FF0000',
      isProduction: true,
    },
  };
  const flag: DomainEvent = { type: 'FlagCreated', data: flagContent('a', projectId) };
  return {
    project: [created, added],
    flag,
    streams: [`project-${projectId}`, `flag-${projectId}:a`],
  };
};

test('a subscription delivers what was there, says that it caught up, and goes on', async (t) => {
  const { eventLog, append } = setUp(t);
  const { project, flag, streams } = history('one');
  await append(streams[0]!, -1, ...project);
  const stopping = new AbortController();
  const seen: LogBatch[] = [];
  const types = () => seen.flatMap(({ events }) => events.filter(isOurs).map(({ type }) => type));
  const reading = (async () => {
    for await (const batch of eventLog.subscribe(null, stopping.signal)) seen.push(batch);
  })();
  await eventually(() => seen.at(-1)?.isCaughtUp === true);
  t.strictSame(types(), ['ProjectCreated', 'EnvironmentAdded']);
  const { position } = await append(streams[1]!, -1, flag, enabled);
  await eventually(() => (seen.at(-1)?.position ?? -1) >= position);
  t.strictSame(types().slice(2), ['FlagCreated', 'FlagEnabled']);
  const positions = seen.flatMap(({ events }) => events.map((event) => event.position));
  t.strictSame(
    positions,
    positions.toSorted((a, b) => Number(a) - Number(b)),
  );
  stopping.abort();
  await reading;
  t.ok((await eventLog.head()) >= position);

  const rest: string[] = [];
  const from = seen.flatMap(({ events }) => events.filter(isOurs))[1]!.position;
  for await (const { events } of eventLog.readForward(from, new AbortController().signal))
    rest.push(...events.filter(isOurs).map(({ type }) => type));
  t.strictSame(rest, ['FlagCreated', 'FlagEnabled'], 'reading on excludes the position itself');
});

test('a store that is not there ends the subscription with an error', async (t) => {
  const connection = connectService(t, 'esdb://127.0.0.1:9?tls=false');
  const subscription = kurrentEventLog(connection).subscribe(null, new AbortController().signal);
  await t.rejects(subscription[Symbol.asyncIterator]().next());
  await t.rejects(kurrentEventLog(connection).head());
});

test('from the log into Postgres and Redis', async (t) => {
  const { eventLog, append } = setUp(t);
  const { project, flag, streams } = history('two');
  const { url, pool } = await testDatabase(t);
  const { prefix } = await testRedis(t);
  const redis = createProjectorRedis(process.env['TEST_REDIS_URL'] ?? '');
  const layout = redisLayout(prefix);
  const projectors = startProjectors({
    eventLog,
    pool,
    databaseUrl: url,
    redis,
    layout,
    loadCurrentStates: loadCurrentStates(pool),
    personal: nothingSealed,
    log: silentLog,
  });
  t.teardown(async () => {
    await projectors.stop();
    redis.disconnect();
  });
  await append(streams[0]!, -1, ...project);
  await append(streams[1]!, -1, flag);
  const { position } = await append(streams[1]!, 0, enabled);
  await eventually(() =>
    projectors.status().every((status) => status.state === 'live' && status.position >= position),
  );
  const { rows } = await pool.query(
    `select f.revision, f.state #>> '{environments,production,enabled}' as enabled
       from flag f where f.project_id = $1`,
    [`${organization}:two`],
  );
  t.match(rows, [{ revision: '1', enabled: 'true' }]);
  const ruleset = await redis.hget(layout.rulesets(`${organization}:two:production`), 'a');
  t.match(JSON.parse(ruleset ?? '{}'), { revision: 1, configuration: { enabled: true } });
  t.strictSame(await projectors.verifyRedis(), []);
});

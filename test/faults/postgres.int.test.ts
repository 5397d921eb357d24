import pg from 'pg';
import { test } from 'tap';
import { until } from '../support/until.js';
import { PLACE } from './support/load.js';
import {
  byLength,
  checkAnswers,
  checkInvariants,
  faultsOf,
  HANGING_MS,
  loadOn,
  startScenario,
  untilAcknowledged,
  untilAnswered,
} from './support/scenario.js';

const ROUNDS = byLength(1, 5);
const COMMANDS = byLength(10, 200);

test('Postgres away, restarted, paused, half-open or locked: commands and evaluations go on', async (t) => {
  const scenario = await startScenario(t);
  const { service, servers, client } = scenario;
  const { postgres } = servers;
  const load = loadOn(t, scenario);
  const restarting = {
    name: 'restarted',
    begin: () => postgres.process.stop('SIGINT'),
    end: postgres.process.start,
  };
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { name, begin, end } of [...faultsOf(postgres), ...byLength([], [restarting])]) {
      await untilAnswered(load, 20);
      await begin();
      const list = await client.send('GET', `${PLACE}/flags`);
      t.equal(list.status, 503, `${name}: queries say so`);
      t.ok(list.ms < HANGING_MS, `${name}: in ${Math.round(list.ms)} ms`);
      t.equal(list.headers['retry-after'], '1');
      await until(`${name}: /ready tells it`, async () => {
        const { status } = await service.ready();
        return status === 'degraded';
      });
      await untilAcknowledged(load, COMMANDS);
      await end();
      await service.untilReady(`${name}: ready again`);
      const after = await client.send('GET', `${PLACE}/flags`);
      t.equal(after.status, 200, `${name}: queries are answered again`);
    }
  }
  const locker = new pg.Client({ connectionString: postgres.directUrl });
  await locker.connect();
  await locker.query('begin; lock table read_model.flag in access exclusive mode');
  const answers = await Promise.all(
    // Each another question: what was answered a moment ago needs no table.
    Array.from({ length: 15 }, (_, n) => client.send('GET', `${PLACE}/flags?limit=${n + 1}`)),
  );
  t.ok(
    answers.every(({ status }) => status === 503),
    'locked: queries say so, also those without a connection',
  );
  t.ok(Math.max(...answers.map(({ ms }) => ms)) < HANGING_MS);
  await locker.query('rollback');
  await locker.end();
  await until('locked: the pool has recovered', async () => {
    const { status } = await client.send('GET', `${PLACE}/flags`);
    return status === 200;
  });
  await load.stop();
  checkAnswers(t, load);
  await checkInvariants(t, servers, load);
});

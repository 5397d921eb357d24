import { test } from 'tap';
import { until } from '../support/until.js';
import { PLACE } from './support/load.js';
import { flushRedis } from './support/observe.js';
import {
  byLength,
  checkAnswers,
  checkInvariants,
  faultsOf,
  loadOn,
  startScenario,
  untilAcknowledged,
  untilAnswered,
} from './support/scenario.js';

const ROUNDS = byLength(1, 5);
const COMMANDS = byLength(10, 200);

test('Redis away, restarted, flushed, paused or half-open: nothing fails, all recovers', async (t) => {
  const scenario = await startScenario(t);
  const { service, servers, client } = scenario;
  const load = loadOn(t, scenario);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { name, begin, end } of faultsOf(servers.redis)) {
      await untilAnswered(load, 20);
      await begin();
      await until(`${name}: /ready tells it`, async () => {
        const rulesets = await service.part('rulesets');
        return rulesets?.isReady === false;
      });
      await untilAcknowledged(load, COMMANDS);
      const changed = await client.send(
        'PUT',
        `${PLACE}/flags/flag-0/environments/production/off-variant`,
        { body: { offVariant: `v${1 + (round % 8)}` } },
      );
      t.ok(changed.status < 300, `${name}: commands are accepted`);
      await until(`${name}: changes are served from Postgres`, async () => {
        const { body } = await client.evaluate('flag-0');
        return Number(body['position']) >= Number(changed.body['position']);
      });
      await end();
      await service.untilReady(`${name}: ready again`);
    }
    await flushRedis(servers);
    await untilAcknowledged(load, COMMANDS);
    await service.untilReady('flushed: ready again');
  }
  await load.stop();
  checkAnswers(t, load);
  t.ok(
    load.commands.every(({ outcome, statuses }) => {
      return outcome !== 'unknown' && !statuses.includes('broken');
    }),
    'every command was acknowledged',
  );
  await checkInvariants(t, servers, load);
  await servers.redis.process.kill();
  await until('it is noticed', async () => (await service.part('rulesets'))?.isReady === false);
  t.equal(await service.stop(), 0, 'stopping does not wait for a Redis that is gone');
});

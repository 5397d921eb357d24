import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'tap';
import { until } from '../support/until.js';
import {
  byLength,
  checkInvariants,
  loadOn,
  startScenario,
  untilAcknowledged,
} from './support/scenario.js';

const ROUNDS = byLength(2, 40);

test('SIGKILL of the whole service in mid-load loses and doubles nothing', async (t) => {
  const scenario = await startScenario(t);
  const { service, servers, client } = scenario;
  // Between two kills only some of those that wait get an answer: they have to come again often.
  const load = loadOn(t, scenario, { attempts: 1_000 });
  for (let round = 0; round < ROUNDS; round += 1) {
    await untilAcknowledged(load, 10 + round);
    await delay((round * 37) % 100); // another point of its work each time
    await service.kill();
    await service.start();
    await until('it evaluates', async () => (await client.evaluate('flag-0')).status === 200);
  }
  await untilAcknowledged(load, 10);
  await load.stop();
  await checkInvariants(t, servers, load);
  const repeats = load.commands.filter(({ statuses }) => statuses.length > 1).length;
  t.ok(repeats > 0, `${repeats} commands were sent again`);
  const others = load.commands
    .filter(({ outcome }) => outcome !== 'recorded' && outcome !== 'unchanged')
    .map(({ outcome, statuses, codes }) => [outcome, ...statuses, ...codes].join(' '));
  t.strictSame(others, [], 'every command came through in the end');
});

import { test } from 'tap';
import { until } from '../support/until.js';
import {
  byLength,
  checkInvariants,
  isLong,
  loadOn,
  startScenario,
  untilAcknowledged,
} from './support/scenario.js';
import { type FaultyService } from './support/service.js';

const ROUNDS = byLength(1, 10);

const stateOf = async (service: FaultyService): Promise<unknown> =>
  (await service.part('read_model'))?.details['state'];

test('of two projectors one leads; when it is killed or paused the other takes over', async (t) => {
  const scenario = await startScenario(t, { ROLE: 'api' }, ['projector-0', 'projector-1']);
  const { servers, projectors } = scenario;
  const load = loadOn(t, scenario);
  const leader = async (): Promise<FaultyService | undefined> => {
    const states = await Promise.all(projectors.map((one) => stateOf(one).catch(() => undefined)));
    return projectors[states.indexOf('live')];
  };
  const standbyOf = (one: FaultyService): FaultyService => projectors.find((two) => two !== one)!;
  for (let round = 0; round < ROUNDS; round += 1) {
    await until('one leads', async () => (await leader()) !== undefined);
    const first = (await leader())!;
    const second = standbyOf(first);
    await until('the other stands by', async () => (await stateOf(second)) === 'standby');
    await untilAcknowledged(load, 10);
    if (isLong) await first.kill();
    else first.pause();
    await until('the other leads', async () => (await stateOf(second)) === 'live');
    await untilAcknowledged(load, 10);
    if (isLong) await first.start();
    else first.resume();
    await until('the first stands by', async () => (await stateOf(first)) === 'standby');
    t.equal(await stateOf(second), 'live', 'the new leader goes on');
    if (!isLong) continue;
    second.pause();
    await until('the first leads again', async () => (await stateOf(first)) === 'live');
    await untilAcknowledged(load, 10);
    second.resume();
    await until('the paused one has noticed', async () => (await stateOf(second)) === 'standby');
    t.equal(await stateOf(first), 'live', 'the new leader goes on');
  }
  await load.stop();
  await checkInvariants(t, servers, load);
});

import { randomUUID } from 'node:crypto';
import { test } from 'tap';
import { until } from '../support/until.js';
import { PLACE } from './support/load.js';
import { readLog } from './support/observe.js';
import {
  byLength,
  checkAnswers,
  checkInvariants,
  faultsOf,
  HANGING_MS,
  loadOn,
  type Scenario,
  startScenario,
  untilAcknowledged,
  untilAnswered,
} from './support/scenario.js';

const ROUNDS = byLength(1, 5);

/** The answer to a command is lost after the commit; the retry must get it all the same. */
const loseAcknowledgement = async (
  { servers, client }: Scenario,
  mode: 'deaf' | 'silent',
): Promise<Readonly<{ first: number; retry: number; replayed: unknown; written: number }>> => {
  const key = randomUUID();
  const send = () =>
    client.command('flag-0', { name: `Named by ${key}` }, { 'idempotency-key': key });
  await servers.eventStore.proxy.turn(mode);
  const first = await send();
  await servers.eventStore.proxy.turn('pass');
  let retry = await send();
  await until('the retry is answered', async () => {
    if (retry.status !== 200) retry = await send();
    return retry.status === 200;
  });
  const log = await readLog(servers);
  const written = log.filter(({ metadata }) => metadata.commandId === key);
  return {
    first: first.status,
    retry: retry.status,
    replayed: Number(retry.body['revision']) === written[0]?.revision,
    written: written.length,
  };
};

test('the event store away, restarted, paused or half-open: commands say so at once', async (t) => {
  const scenario = await startScenario(t);
  const { service, servers, client } = scenario;
  const load = loadOn(t, scenario);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { name, begin, end } of faultsOf(servers.eventStore)) {
      await untilAcknowledged(load, 10);
      await begin();
      const command = await client.command('flag-1', { description: name });
      t.equal(command.status, 503, `${name}: commands say so`);
      t.ok(command.ms < HANGING_MS, `${name}: in ${Math.round(command.ms)} ms`);
      t.equal(command.headers['retry-after'], '1');
      await until(`${name}: /ready tells it`, async () => {
        const { status } = await service.ready();
        return status === 'degraded';
      });
      await untilAnswered(load, byLength(60, 2_000));
      const list = await client.send('GET', `${PLACE}/flags`);
      t.equal(list.status, 200, `${name}: queries are answered`);
      const began = performance.now();
      await end();
      await untilAcknowledged(load, 1);
      t.comment(`${name}: commands again after ${Math.round(performance.now() - began)} ms`);
      await service.untilReady(`${name}: ready again`);
      t.comment(`${name}: ready again after ${Math.round(performance.now() - began)} ms`);
    }
  }
  await load.stop();
  checkAnswers(t, load);
  for (const mode of ['deaf', 'silent'] as const) {
    const { first, ...rest } = await loseAcknowledgement(scenario, mode);
    t.equal(first, 503, `${mode}: the outcome is unknown`);
    t.strictSame(rest, { retry: 200, replayed: true, written: 1 }, `${mode}: written once`);
  }
  await checkInvariants(t, servers, load);
});

import { test } from 'tap';
import { until } from '../support/until.js';
import { withClockAt } from './support/clock.js';
import { FLAGS, startScenario } from './support/scenario.js';
import { type Answer, request } from './support/service.js';

const HOUR = 3_600_000;

test('the clock of the event store jumps ahead for one command, and back', async (t) => {
  const { servers, service, client } = await startScenario(t);
  const store = servers.eventStore.process;
  const [flag = ''] = FLAGS;
  const path = `/api/v1/projects/demo/flags/${flag}`;
  const turn = async (state: 'enable' | 'disable'): Promise<Answer> => {
    let answer: Answer | undefined;
    await until(`${state}d`, async () => {
      answer = await client.send('POST', `${path}/environments/production/${state}`);
      return answer.status === 200;
    });
    return answer!;
  };
  const get = (question: string, position = '') =>
    client.send('GET', `${path}${question}`, { ...(position && { 'x-min-position': position }) });
  const restart = async (environment = {}): Promise<void> => {
    await store.stop();
    await store.start(environment);
  };
  const clockPart = async () => service.part('clock');

  const aheadIn = (part: Awaited<ReturnType<typeof clockPart>>): number =>
    Number(part?.details['recordedAheadMs']);

  t.match(await clockPart(), { isReady: true, details: { recordedAheadMs: 0 } });
  const before = new Date().toISOString();
  await restart(withClockAt(2 * HOUR));
  const ahead = await turn('disable');
  await restart();
  const after = await turn('enable');
  const position = String(after.body['position']);
  const now = await get('', position);

  await t.test('it is measured and reported', async (t) => {
    await until('it is noticed', async () => aheadIn(await clockPart()) > HOUR);
    const part = await clockPart();
    t.equal(part?.isReady, true, 'everything works meanwhile');
    const { body } = await client.send('GET', '/metrics');
    const text = String(body['text']);
    const [, seconds] = /^chronoflag_recorded_time_ahead_seconds (\S+)$/m.exec(text) ?? [];
    t.ok(Number(seconds) > 3_600);
    await until('there is an event of it', async () => {
      const { body: page } = await client.send('GET', '/api/v1/audit?type=ClockJumped');
      return (page['items'] as readonly unknown[]).length > 0;
    });
    const { body: page } = await client.send('GET', '/api/v1/audit?type=ClockJumped');
    t.equal((page['items'] as readonly unknown[]).length, 1, 'one, however long it lasts');
  });

  await t.test('moments are answered rightly or not at all', async (t) => {
    t.equal((await get(`?at=${before}`)).status, 422, 'something may have happened before it');
    const uncertain = await get(`?at=${new Date().toISOString()}`);
    t.match(uncertain, {
      status: 422,
      body: { type: 'urn:chronoflag:problem:moment-uncertain', detail: /position/ },
    });
    const own = await get(`?at=${String(now.body['updatedAt'])}`);
    t.match(
      own,
      { status: 200, body: { revision: now.body['revision'] } },
      'its own time is known',
    );
    t.equal((await get(`?at=${new Date(Date.now() + 3 * HOUR).toISOString()}`)).status, 422);
    const then = await get(`?position=${String(ahead.body['position'])}`);
    t.match(then, { status: 200, body: { revision: ahead.body['revision'] } });
  });
  await until('all parts work', async () => (await request(`${service.url}/ready`)).status === 200);
  t.equal((await service.ready()).status, 'degraded');
});

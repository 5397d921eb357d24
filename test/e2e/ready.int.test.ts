import { test } from 'tap';
import { startStore } from '../support/event-store.js';
import { testService } from '../support/service.js';
import { type Verdict } from '../support/stand-in-appends.js';
import { startStandIn } from '../support/stand-in-store.js';
import { until } from '../support/until.js';

type Ready = Readonly<{
  status: string;
  parts: readonly Readonly<{ name: string; isReady: boolean; details: object }>[];
}>;

const MONITOR = 'monitor-7Hq2-Zx9';

test('/ready tells whether commands can be written', async (t) => {
  const { store } = await startStore(t);
  let verdict: Verdict | undefined;
  let reads: 'access-denied' | undefined;
  const standIn = await startStandIn(t, store.port, {
    appends: () => verdict,
    reads: () => reads,
  });
  const service = await testService(t, {
    EVENTSTORE_URL: `esdb://127.0.0.1:${standIn.port}?tls=false`,
    EVENTSTORE_TIMEOUT_MS: '400',
    METRICS_TOKEN: MONITOR,
  });
  const ready = async () => {
    const answer = await fetch(`${service.url}/ready`);
    const text = await answer.text();
    return { code: answer.status, text, parts: (JSON.parse(text) as Ready).parts };
  };
  const failing = async (): Promise<readonly string[]> =>
    (await ready()).parts.filter(({ isReady }) => !isReady).map(({ name }) => name);
  const untilReady = () =>
    until('it is ready', async () => (await fetch(`${service.url}/ready`)).status === 200);
  const reasons = async (): Promise<string> => {
    const headers = { authorization: `Bearer ${MONITOR}` };
    const text = await (await fetch(`${service.url}/metrics`, { headers })).text();
    return text
      .split('\n')
      .filter((line) => /^chronoflag_part_ready.* 0$/.test(line))
      .join('\n');
  };
  const rename = (name: string, key: string) =>
    service.patch('/projects/demo', { headers: { 'idempotency-key': key }, body: { name } });
  await untilReady();

  const refusals = [
    ['access-denied', 'event-store-refuses', /does not let this service write/],
    ['unauthenticated', 'event-store-refuses', /does not accept the login/],
    ['not-ready', 'event-store-unavailable', /no leader that writes/],
  ] as const;
  for (const [refusal, code, reason] of refusals)
    await t.test(`not when an append is answered with ${refusal}`, async (t) => {
      verdict = refusal;
      await until('it is not ready', async () => (await failing()).includes('commands'));
      const { code: answered, text } = await ready();
      t.equal(answered, 503);
      t.notMatch(
        text,
        /127\.0\.0\.1|denied|login|leader|let this/i,
        'strangers learn the part only',
      );
      t.match(await reasons(), /part="commands"/);
      t.match(await reasons(), reason, 'and operators the reason');
      const command = await rename(refusal, refusal);
      t.match(command, { status: 503, body: { type: `urn:chronoflag:problem:${code}` } });
      verdict = undefined;
      await untilReady();
      t.equal((await rename(refusal, refusal)).status, 200);
    });

  await t.test('not while a leader holds back what it took', async (t) => {
    verdict = 'held-back';
    const unknown = { status: 503, body: { type: 'urn:chronoflag:problem:outcome-unknown' } };
    t.match(await rename('held back', 'first'), unknown);
    await until('it is not ready', async () => (await failing()).includes('commands'));
    t.match(await reasons(), /holds back/);
    t.match(await rename('another', 'second'), unknown, 'never that nothing was written');
    standIn.release();
    verdict = undefined;
    await untilReady();
    const again = await rename('held back', 'first');
    t.match(again, { status: 200, body: { result: 'recorded' } });
    t.equal(again.headers['idempotency-replayed'], 'true', 'it was written, once');
  });

  await t.test('and whether the log can be read', async (t) => {
    reads = 'access-denied';
    await until('it is not ready', async () => (await failing()).includes('event-store'));
    t.notMatch((await ready()).text, /denied/i);
    reads = undefined;
    await untilReady();
    t.strictSame(await failing(), []);
  });
});

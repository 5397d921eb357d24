import { type Test, test } from 'tap';
import { type FirstCredentials } from '../../src/composition/first-start.js';
import { startService } from '../../src/composition/service.js';
import { loadConfig } from '../../src/config.js';
import { keepSecret, testLogger } from '../support/canary.js';
import { testDatabase } from '../support/database.js';
import { startStore, temporaryFolder } from '../support/event-store.js';
import { testService, type TestService } from '../support/service.js';
import { type Verdict } from '../support/stand-in-appends.js';
import { startStandIn } from '../support/stand-in-store.js';
import { until } from '../support/until.js';

type Ready = Readonly<{
  status: string;
  parts: readonly Readonly<{ name: string; isReady: boolean; details: object }>[];
}>;

const MONITOR = 'monitor-7Hq2-Zx9';

/** What a process answers, beside a log that has a flag, from a database that is new. */
const besideNewDatabase = async (t: Test, first: TestService): Promise<void> => {
  const flag = {
    key: 'known',
    type: 'boolean',
    variants: [
      { name: 'on', value: true },
      { name: 'off', value: false },
    ],
    defaultVariant: 'on',
    offVariant: 'off',
  };
  await first.post('/projects/demo/flags', { body: flag });
  await first.post('/projects/demo/flags/known/environments/production/enable');
  const { url: DATABASE_URL } = await testDatabase(t);
  const start = async (ROLE: string) => {
    const own = {
      DATABASE_URL,
      DATA_DIRECTORY: temporaryFolder(t),
      ROLE,
      EVENTSTORE_TIMEOUT_MS: '2000',
    };
    const shown: FirstCredentials[] = [];
    const environment = { ...first.environment, ...own, REDIS_PREFIX: `${first.stores.prefix}-2` };
    const service = await startService(loadConfig(environment), testLogger(), (issued) => {
      shown.push(issued);
    });
    t.teardown(() => service.stop());
    return { ...service, ...shown[0] };
  };
  const { url, admin = '', server = '' } = await start('api');
  keepSecret(admin, server);
  const query = async (path: string) => {
    const answer = await fetch(`${url}/api/v1${path}`, {
      headers: { authorization: `Bearer ${admin}` },
    });
    return { status: answer.status, body: (await answer.json()) as object };
  };
  const ready = async () => {
    const answer = await fetch(`${url}/ready`);
    const { parts } = (await answer.json()) as Ready;
    return {
      code: answer.status,
      failing: parts.filter(({ isReady }) => !isReady).map(({ name }) => name),
    };
  };
  const ask = async () => {
    const headers = { 'x-api-key': server, 'content-type': 'application/json' };
    const body = JSON.stringify({ context: { targetingKey: 'u' } });
    const request = { method: 'POST', headers, body };
    const answer = await fetch(`${url}/ofrep/v1/evaluate/flags/known`, request);
    return { status: answer.status, body: (await answer.json()) as object };
  };
  t.match(await ask(), { status: 503, body: { errorCode: 'PROVIDER_NOT_READY' } });
  for (const path of ['/projects/demo', '/projects/demo/flags', '/projects/demo/flags/known'])
    t.match(await query(path), { status: 503, body: { type: /read-model-unavailable$/ } }, path);
  t.strictSame(await ready(), { code: 503, failing: ['first-catch-up', 'rulesets'] });
  await start('projector');
  await until('it is ready', async () => (await ready()).code === 200);
  t.match(await ask(), { status: 200, body: { value: true } });
  t.match(await query('/projects/demo/flags/known'), { status: 200, body: { key: 'known' } });
};

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

  await t.test('what a new read model does not know yet is not told as not there', (t) =>
    besideNewDatabase(t, service),
  );
});

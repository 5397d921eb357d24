import { jsonEvent } from '@eventstore/db-client';
import { test } from 'tap';
import { connect } from '../support/event-store.js';
import { metadataOf } from '../support/histories.js';
import { runProgram, runRebuild, runSkip, runVerify } from '../support/programs.js';
import { testService, type TestService } from '../support/service.js';
import { until } from '../support/until.js';

const FLAG = '/projects/demo/flags/switch';
const PRODUCTION = `${FLAG}/environments/production`;
const STREAM = 'flag-default:demo:switch';
const asked = { stream: STREAM, revision: 2, reason: 'a script wrote it', by: 'anna' };

type Parked = Readonly<{ count: number; items: readonly unknown[] }>;
type Readiness = Readonly<{
  status: string;
  parts: readonly Readonly<{ details: Readonly<Record<string, unknown>> }>[];
}>;

/** A flag that is on, then an event that no version knows, then one that puts it off and waits. */
const parkedFlag = async (service: TestService, store: ReturnType<typeof connect>) => {
  await service.post('/projects/demo/flags', { body: { key: 'switch', type: 'boolean' } });
  await service.post(`${PRODUCTION}/enable`);
  const ours = (type: string, nth: number) =>
    jsonEvent({ type, data: { environment: 'production' }, metadata: { ...metadataOf(nth) } });
  await store.appendToStream(STREAM, [ours('FlagTeleported', 1), ours('FlagDisabled', 2)]);
  await until('the flag is parked', async () => {
    const { body } = await service.get<Parked>('/parked-streams');
    return body.count === 1 && (body.items[0] as { waiting: number }).waiting === 1;
  });
};

const parkedCounts = async ({ send }: TestService): Promise<readonly unknown[]> => {
  const { body } = await send<Readiness>('GET', '/ready');
  return body.parts.flatMap(({ details }) => details['parkedStreams'] ?? []);
};

test('an operator skips an event that cannot be applied', async (t) => {
  const service = await testService(t);
  const { get, post } = service;
  const other = await service.startAnother();
  const store = connect(t, service.stores.eventStoreUrl);
  await parkedFlag(service, store);
  const before = await get<Readonly<{ revision: number }>>(FLAG);
  t.match(before.body, { revision: 1, environments: { production: { enabled: true } } });

  const { status, body: refused } = await post<{ type: string; detail: string }>(
    `${PRODUCTION}/disable`,
  );
  t.equal(status, 409, 'nothing is decided on a history that is not understood');
  t.match(refused, { type: /stream-parked$/, detail: /^Event 2 of .* is a FlagTeleported/ });

  await t.test('only the one at which the stream stands', async (t) => {
    const at = await runSkip(service.environment, { ...asked, revision: 3 });
    t.match(at, /^1\n.* stands at its event 2, FlagTeleported: only that one .*--revision 2/);
    const none = await runSkip(service.environment, { ...asked, stream: 'flag-default:demo:x' });
    t.match(none, /^1\nflag-default:demo:x is not parked.*'status' lists/);
    for (const args of [
      ['--stream', STREAM, '--revision', '2'],
      ['--stream', STREAM, '--revision', 'two', '--reason', 'x'],
    ])
      t.match(await runProgram(service.environment, 'cli/projections', 'skip', ...args), /^2\n/);
    t.match(await get('/audit?type=EventSkipped'), { body: { items: [] } });
  });

  t.match(
    await runSkip(service.environment, asked),
    /^0\n.*from now on.*\nThe stream continues\.$/,
  );

  await t.test('the stream goes on behind it, everywhere', async (t) => {
    t.match(await get('/parked-streams'), { body: { count: 0 } });
    await until('/ready says so', async () => {
      const counts = await parkedCounts(service);
      return counts.length === 2 && counts.every((count) => count === 0);
    });
    const off = { revision: 3, environments: { production: { enabled: false } } };
    t.match(await get(FLAG), { body: off });
    t.match(await get(`${FLAG}?revision=3&source=log`), { body: off });
    const evaluated = await service.send('POST', '/ofrep/v1/evaluate/flags/switch', {
      credential: service.serverKey,
      body: { context: { targetingKey: 'anna' } },
    });
    t.match(evaluated, { status: 200, body: { value: false } });
    for (const [nth, { post: write }] of [service, other].entries()) {
      const way = nth === 0 ? 'enable' : 'disable';
      const { status, body } = await write<{ position: number }>(`${PRODUCTION}/${way}`);
      t.equal(status, 200, JSON.stringify(body));
      const now = { headers: { 'x-min-position': String(body.position) } };
      t.match((await get(FLAG, now)).body, {
        revision: 4 + nth,
        environments: { production: { enabled: nth === 0 } },
      });
    }
  });

  await t.test('and all that verify say so', async (t) => {
    t.equal((await post('/audit/checkpoints')).status, 200);
    const verified = await runVerify(service.environment);
    t.match(verified, /^0\n[^]*agrees[^]*skipped: event 2 of flag-default:demo:switch/);
    t.match(await get('/projects/demo/verify'), {
      body: { agree: true, compared: { parked: [], skipped: [{ stream: STREAM, revision: 2 }] } },
    });
    t.match(await runRebuild(service.environment), /^0\n[^]*read model is equal\./);
    t.match(await get('/audit?type=EventSkipped'), {
      body: { items: [{ reason: asked.reason, data: { ...asked, type: 'FlagTeleported' } }] },
    });
  });

  await t.test('asked again, nothing is written', async (t) => {
    const again = await runSkip(service.environment, asked);
    t.match(again, /^0\n.*skipped before\.\nThe stream continues\.$/);
    const { body } = await get<{ items: unknown[] }>('/audit?type=EventSkipped');
    t.equal(body.items.length, 1);
  });
});

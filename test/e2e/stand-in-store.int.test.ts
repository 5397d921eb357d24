import { Redis } from 'ioredis';
import pg from 'pg';
import { test } from 'tap';
import { redisLayout } from '../../src/infrastructure/redis/layout.js';
import { startStore } from '../support/event-store.js';
import { farPositions } from '../support/far-positions.js';
import { runRebuild, runVerify } from '../support/programs.js';
import { type OtherProcess, testService } from '../support/service.js';
import {
  checkpointAt,
  type Rewrite,
  standInStore,
  startStandIn,
} from '../support/stand-in-store.js';
import { until } from '../support/until.js';

type Answer = Parameters<Rewrite>[0];
type Written = Readonly<{ position: number }>;
type Project = Readonly<{ environments?: readonly unknown[] }>;

const eventIn = (answer: Answer) => answer.getEvent()?.getEvent();

const typeOf = (answer: Answer): string | undefined =>
  eventIn(answer)?.getMetadataMap().get('type');

const streamOf = (answer: Answer): string =>
  Buffer.from(eventIn(answer)?.getStreamIdentifier()?.getStreamName_asU8() ?? []).toString();

/** Delivers the first event of an append that makes a project, and the others not before something else is written. */
const holdingBack = () => {
  const state = { isOn: false, first: undefined as number | undefined };
  const rewriting = (): Rewrite => {
    let held: readonly Answer[] = [];
    return (answer) => {
      const isIt = state.isOn && streamOf(answer) === 'project-default:whole';
      if (isIt && typeOf(answer) === 'ProjectCreated')
        state.first = Number(eventIn(answer)?.getCommitPosition());
      if (!isIt || typeOf(answer) !== 'EnvironmentAdded') {
        const all = [...held, answer];
        held = [];
        return all;
      }
      held = [...held, answer];
      return [];
    };
  };
  return { state, rewriting };
};

/** Tells the place of the event that comes next as a checkpoint, and loses the connection before it; or a place beyond all. */
const tellingWrongly = () => {
  const state = { next: undefined as 'next' | 'beyond' | undefined, told: 0, live: 0 };
  const rewriting = (): Rewrite => {
    const seen = { isLive: false };
    return (answer) => {
      if (answer.hasCaughtUp()) {
        seen.isLive = true;
        state.live += 1;
      }
      const event = eventIn(answer);
      if (state.next === undefined || event === undefined || !seen.isLive) return [answer];
      const isBeyond = state.next === 'beyond';
      state.told += 1;
      if (isBeyond) return [checkpointAt(2n ** 64n - 1n), answer];
      seen.isLive = false;
      state.live -= 1;
      return [checkpointAt(BigInt(event.getCommitPosition())), 'cut'];
    };
  };
  return { state, rewriting };
};

test('a service on a stand-in for an event store that answers wrongly', async (t) => {
  const { store } = await startStore(t);
  const holding = holdingBack();
  const telling = tellingWrongly();
  const url = await standInStore(t, store.port, () => {
    const [hold, tell] = [holding.rewriting(), telling.rewriting()];
    return (answer) => hold(answer).flatMap((one) => (one === 'cut' ? [one] : [...tell(one)]));
  });
  const service = await testService(t, { EVENTSTORE_URL: url });
  const { post, get } = service;

  await t.test('what one command does is seen whole, however the store delivers it', async (t) => {
    holding.state.isOn = true;
    const made = await post<Written>('/projects', {
      body: { key: 'whole', environments: [{ key: 'development' }, { key: 'production' }] },
    });
    t.equal(made.status, 201);
    await until('its first event is delivered', () => holding.state.first !== undefined);
    const inside = { headers: { 'x-min-position': String(holding.state.first) } };
    t.match(await get('/projects/whole', inside), {
      status: 503,
      body: { type: 'urn:chronoflag:problem:position-not-reached' },
    });
    t.equal((await get('/projects/whole')).status, 404, 'nothing of it can be seen');
    holding.state.isOn = false;
    await post('/projects', { body: { key: 'other' } });
    const { body } = await get<Project>('/projects/whole', {
      headers: { 'x-min-position': String(made.body.position) },
    });
    t.equal(body.environments?.length, 2);
  });

  await t.test('a kill switch is followed, whatever is told as a checkpoint', async (t) => {
    await post('/projects/demo/flags', { body: { key: 'switch', type: 'boolean' } });
    const on = '/projects/demo/flags/switch/environments/production';
    let position = (await post<Written>(`${on}/enable`)).body.position;
    const served = () =>
      service.send<Readonly<{ value: unknown }>>('POST', '/ofrep/v1/evaluate/flags/switch', {
        credential: service.serverKey,
        headers: { 'x-min-position': String(position) },
        body: { context: { targetingKey: 'anna' } },
      });
    t.match(await served(), { status: 200, body: { value: true } });
    await until('both projections are live', () => telling.state.live >= 2);
    const { live } = telling.state;
    for (const [how, action] of [
      ['next', 'disable'],
      ['beyond', 'enable'],
      ['next', 'disable'],
    ] as const) {
      await until('both projections are live again', () => telling.state.live === live);
      telling.state.next = how;
      const before = telling.state.told;
      const switched = await post<Written>(`${on}/${action}`);
      t.equal(switched.status, 200);
      ({ position } = switched.body);
      await until('both projections were told wrongly', () => telling.state.told >= before + 2);
      telling.state.next = undefined;
      await until(`evaluation follows: ${action}`, async () => {
        const { status, body } = await served();
        return status === 200 && body.value === (action === 'enable');
      });
    }
    t.match(await get('/projects/demo/verify'), { body: { agree: true } });
  });
});

test('a service on a log that is longer than a double can count', async (t) => {
  const { store } = await startStore(t);
  const { port } = await startStandIn(t, store.port, farPositions(2n ** 62n));
  const service = await testService(t, {
    EVENTSTORE_URL: `esdb://127.0.0.1:${port}?tls=false`,
    AUDIT_CHECKPOINT_EVENTS: '1000000',
  });
  const { get, post, send } = service;
  const other = await service.startAnother();
  const flags = '/projects/demo/flags';
  const on = `${flags}/far/environments/production`;
  const evaluated = '/projects/demo/environments/production/evaluate/far';
  /** As the text has it, for a parser of JSON would round it. */
  const positionIn = ({ text }: { text: string }): string =>
    /"position":"?(\d+)/.exec(text)?.[1] ?? 'none';
  const seen = (position: string) => ({ headers: { 'x-min-position': position } });
  const served = (position: string, of: OtherProcess = service) =>
    of.post<Readonly<{ value: unknown }>>(evaluated, {
      ...seen(position),
      body: { context: { targetingKey: 'anna' } },
    });

  const created = await post(flags, { body: { key: 'far', type: 'boolean' } });
  const enabled = await post(`${on}/enable`);
  const disabled = await post(`${on}/disable`);
  const [first, second, third] = [created, enabled, disabled].map(positionIn);
  if (first === undefined || second === undefined || third === undefined) return;

  await t.test('commands answer with all digits', async (t) => {
    t.ok(BigInt(first) > 2n ** 62n);
    t.not(Number(third), BigInt(third), 'which a double does not hold');
    t.ok(BigInt(first) < BigInt(second) && BigInt(second) < BigInt(third));
  });

  await t.test('queries stand at the position that they were asked to wait for', async (t) => {
    const now = await get(`${flags}/far`, seen(third));
    t.match(now, { status: 200, headers: { 'x-position': third } });
    t.equal(positionIn(now), third);
    for (const [position, value] of [
      [second, true],
      [third, false],
    ] as const) {
      const then = await get<{ environments: unknown }>(`${flags}/far?position=${position}`);
      t.match(then, { status: 200, headers: { 'x-position': position } });
      const path = `${evaluated}?position=${position}&targetingKey=anna`;
      t.match(await get(path), { status: 200, body: { value } });
    }
    t.match(await get(`${flags}/far?position=${BigInt(first) - 1n}`), { status: 404 });
    t.match(await get(`${flags}/far?position=${2n ** 63n - 1n}`), {
      status: 422,
      body: { type: 'urn:chronoflag:problem:moment-in-future' },
    });
    t.match(await get(`${flags}/far?position=${2n ** 63n}`), { status: 400 });
    t.match(await get(`${flags}/far`, seen(String(BigInt(third) + 1n))), {
      status: 503,
      body: { type: 'urn:chronoflag:problem:position-not-reached' },
    });
  });

  await t.test('every query answers', async (t) => {
    for (const path of [
      `/projects`,
      `/projects/demo?position=${second}&source=log`,
      `/projects/demo/flags?position=${second}`,
      `/projects/demo/flags/far/history`,
      `/projects/demo/flags/far/diff?from=position:${first}&to=position:${third}`,
      `/projects/demo/environments/production/flags?position=${second}`,
      `/projects/demo/environments/production/diff?from=position:${first}&to=position:${second}`,
      `/projects/demo/segments?position=${second}`,
      `/organization/usage`,
      `/personal-data/erasures`,
      `/parked-streams`,
    ])
      t.match([path, (await get(path, seen(third))).status], [path, 200]);
  });

  await t.test('evaluation follows', async (t) => {
    const redis = new Redis(service.stores.redisUrl);
    const generation = () =>
      redis.hget(redisLayout(service.stores.prefix).checkpoint, 'generation');
    const before = await generation();
    for (const process of [service, other])
      t.match(await served(third, process), { status: 200, body: { value: false } });
    const again = positionIn(await post(`${on}/enable`));
    for (const process of [service, other])
      t.match(await served(again, process), { status: 200, body: { value: true } });
    t.equal(await generation(), before, 'change by change');
    redis.disconnect();
  });

  await t.test('the past is brought back', async (t) => {
    const reverted = await post(`${flags}/far/revert`, { body: { position: third } });
    t.match(reverted, { status: 200, body: { result: 'recorded' } });
    t.match(await served(positionIn(reverted)), { body: { value: false } });
    const batch = () =>
      post('/projects/demo/environments/production/revert', {
        headers: { 'idempotency-key': 'far-revert' },
        body: { position: second },
      });
    const done = await batch();
    t.match(done, { status: 200, body: { summary: { changed: 1 } } });
    t.match(await served(positionIn(done)), { body: { value: true } });
    t.equal((await batch()).text, done.text, 'a repeat is answered alike');
  });

  await t.test('the audit log pages, exports and proves', async (t) => {
    const pages: string[] = [];
    for (let cursor = ''; pages.length < 100;) {
      const page = await get<{ nextCursor: string | null }>(
        `/audit?limit=2&project=demo&flag=far${cursor}`,
      );
      const all = [...page.text.matchAll(/"position":(\d+)/g)].map(([, at]) => at!);
      // The last one is that of the page.
      pages.push(...all.slice(0, -1));
      if (typeof page.body.nextCursor !== 'string') break;
      cursor = `&cursor=${page.body.nextCursor}`;
    }
    t.equal(pages.length, 6);
    t.strictSame([pages.at(-1), pages.at(-2), pages.at(-3)], [first, second, third]);
    for (const format of ['ndjson', 'csv'])
      for (const position of pages)
        t.match((await get(`/audit/export?format=${format}&project=demo&flag=far`)).text, position);
    const event = await get(`/audit/events/${second}`);
    t.match(event, { status: 200, body: { type: 'FlagEnabled' } });
    t.equal(positionIn(event), second);
    const signed = await post('/audit/checkpoints');
    t.match(signed, { status: 200, body: { statement: { position: /^\d{19}$/ } } });
    t.match(await get(`/audit/events/${second}/proof`), {
      status: 200,
      body: { event: { type: 'FlagEnabled', position: second } },
    });
    t.match(await get('/audit/verify'), {
      body: { integrity: { verdict: 'holds' }, checkpoint: { reproduction: 'reproduced' } },
    });
    t.match(await get('/projects/demo/verify'), { body: { agree: true } });
  });

  await t.test('rebuild and verify find nothing that differs', async (t) => {
    t.match(await runRebuild(service.environment), /^0\n/);
    t.match(await runVerify(service.environment), /^0\n/);
    t.match(await send('GET', '/ready'), { status: 200 });
    const rows = new pg.Client({ connectionString: service.stores.databaseUrl });
    await rows.connect();
    const altered = (by: number) =>
      rows.query(`update read_model.flag_revision set position_to = position_to + ${by}
                   where flag_key = 'far' and revision = 0`);
    await altered(1);
    t.match(await runVerify(service.environment), /^1\n[^]*flag_revision[^]*position_to/);
    t.match(await runRebuild(service.environment), /^1\n[^]*flag_revision[^]*position_to/);
    await altered(-1);
    await rows.end();
  });
});

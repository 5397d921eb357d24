import { test } from 'tap';
import { startStore } from '../support/event-store.js';
import { testService } from '../support/service.js';
import { checkpointAt, type Rewrite, standInStore } from '../support/stand-in-store.js';
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

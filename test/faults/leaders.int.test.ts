import { setTimeout as delay } from 'node:timers/promises';
import { test, type Test } from 'tap';
import { type Verdict } from '../support/stand-in-appends.js';
import { startStandIn } from '../support/stand-in-store.js';
import { until } from '../support/until.js';
import {
  byLength,
  checkInvariants,
  type Client,
  clientOf,
  FLAGS,
  isLong,
  loadOn,
  startScenario,
  untilAcknowledged,
} from './support/scenario.js';
import { type CommandRecord, type Load, PLACE } from './support/load.js';
import { faultyService, type FaultyService } from './support/service.js';

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

/** The same numbers in every run. */
const chooser = (seed: number) => {
  let state = seed;
  return (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
};

/** Whether a process shows what was acknowledged; undefined when it does not say. */
const readBack = async (
  client: Client,
  { flag, revision = 0, position }: CommandRecord,
): Promise<string | undefined> => {
  const answer = await client
    .send('GET', `${PLACE}/flags/${flag}`, { 'x-min-position': String(position) })
    .catch(() => undefined);
  if (answer === undefined || answer.status === 503) return undefined;
  const shown = Number(answer.body['revision']);
  if (answer.status === 200 && shown >= revision) return 'true';
  return `${answer.status}: ${flag} is at revision ${shown}, not ${revision}`;
};

/** Reads what was acknowledged last at one of the processes, again and again. @returns what stops it and tells the answers */
const readingBack = (t: Test, load: Load, ask: () => Client) => {
  const answers: string[] = [];
  const stopping = new AbortController();
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await delay(20);
      const last = load.commands.findLast(({ outcome }) => outcome === 'recorded');
      const answer = last && (await readBack(ask(), last));
      if (answer !== undefined) answers.push(answer);
    }
  };
  const running = run();
  const stop = async (): Promise<readonly string[]> => {
    stopping.abort();
    await running;
    return answers;
  };
  t.teardown(stop);
  return stop;
};

/** What each process serves of each flag, as texts; one when they agree. */
const served = async (clients: readonly Client[]): Promise<ReadonlySet<string>> => {
  const all = await Promise.all(
    clients.map(async (client) => {
      const answers = await Promise.all(FLAGS.map((flag) => client.evaluate(flag)));
      return JSON.stringify(answers.map(({ status, body }) => [status, body]));
    }),
  );
  return new Set(all);
};

/** Two that answer, two projectors and a worker, behind one stand-in for the leader of a cluster. */
const startFive = async (t: Test) => {
  const leader = { verdict: undefined as Verdict | undefined, release: (): void => undefined };
  let url = '';
  const scenario = await startScenario(
    t,
    async ({ eventStore }) => {
      const behind = Number(new URL(eventStore.directUrl).port);
      const { port, release } = await startStandIn(t, behind, { appends: () => leader.verdict });
      leader.release = release;
      url = `esdb://127.0.0.1:${port}?tls=false`;
      return { ROLE: 'api', EVENTSTORE_URL: url };
    },
    ['projector-0', 'projector-1'],
  );
  const { servers, service, projectors } = scenario;
  const more = await Promise.all(
    ['api', 'worker'].map(async (ROLE) => {
      const environment = { ROLE, EVENTSTORE_URL: url };
      const one = await faultyService(t, servers, { name: `another-${ROLE}`, environment });
      await one.start();
      return one;
    }),
  );
  const answering = [service, more[0]!];
  return { scenario, leader, answering, all: [service, ...more, ...projectors] };
};

const FAULTS = byLength(4, 60);
/** A leader that has lost its quorum notices that after some seconds. */
const HELD_BACK_MS = byLength(600, 2_500);

test('of five processes any is killed or paused, and the store holds back', async (t) => {
  const { scenario, leader, answering, all } = await startFive(t);
  const choose = chooser(20_261_127);
  const { credential, serverKey } = scenario.client;
  const clients = answering.map((one) => clientOf(() => one.url, credential, serverKey));
  const load = loadOn(t, scenario, {
    target: () => answering[choose(answering.length)]!.url,
    commandsPerSecond: byLength(25, 40),
    evaluationsPerSecond: byLength(40, 100),
    attempts: 250,
  });
  const stopReading = readingBack(t, load, () => clients[choose(clients.length)]!);
  for (let nth = 0; nth < FAULTS; nth += 1) {
    await untilAcknowledged(load, 10);
    await delay(choose(100));
    const kind = nth % 4 === 3 ? 2 : choose(2);
    if (kind === 2) {
      leader.verdict = 'held-back';
      await delay(HELD_BACK_MS);
      leader.verdict = undefined;
      leader.release();
      continue;
    }
    // The short version has time for those that answer.
    const one = isLong ? all[choose(all.length)]! : answering[nth % 2]!;
    const began = performance.now();
    if (kind === 0) await one.kill();
    else one.pause();
    await untilAcknowledged(load, 10);
    t.comment(`${kind === 0 ? 'killed' : 'paused'}: ${Math.round(performance.now() - began)} ms`);
    if (kind === 0) await one.start();
    else one.resume();
  }
  await untilAcknowledged(load, 10);
  await load.stop();
  const read = await stopReading();
  t.ok(read.length > 0, `${read.length} reads after writes`);
  t.strictSame(new Set(read), new Set(['true']), 'no process shows less than was acknowledged');
  await checkInvariants(t, scenario.servers, load);
  await until('all that answer serve the same', async () => (await served(clients)).size === 1);
});

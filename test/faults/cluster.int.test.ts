import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'tap';
import { type Verdict } from '../support/stand-in-appends.js';
import { startStandIn } from '../support/stand-in-store.js';
import { until } from '../support/until.js';
import {
  checkAnswers,
  checkInvariants,
  clientOf,
  FLAGS,
  isLong,
  loadOn,
  untilAcknowledged,
} from './support/scenario.js';
import { startServers } from './support/servers.js';
import { faultyService } from './support/service.js';
import { tcpProxy } from './support/tcp-proxy.js';

/** An outage of a cluster that a real one showed. */
const OUTAGE_MS = 20_000;

type Fault = Readonly<{
  name: string;
  begin: () => Promise<unknown>;
  end: () => Promise<unknown>;
  /** Commands go on without the end of the fault. */
  isSurvived: boolean;
}>;

/** Stand-ins for two nodes of a cluster, over one store; each behind a cable of its own. Gossip names the leader. */
test('a cluster changes its leader, loses it, hangs', { skip: !isLong && 'long' }, async (t) => {
  const servers = await startServers(t);
  const behind = Number(new URL(servers.eventStore.directUrl).port);
  let leader = 0;
  let verdict: Verdict | undefined;
  const cables: Awaited<ReturnType<typeof tcpProxy>>[] = [];
  const members = () =>
    cables.map(({ port }, nth) => ({ port, isLeader: nth === leader, isAlive: true }));
  for (const nth of [0, 1]) {
    // A node that does not lead refuses appends.
    const appends = () => (nth === leader ? verdict : 'not-ready');
    const node = await startStandIn(t, behind, { members, appends });
    const cable = await tcpProxy(node.port);
    t.teardown(() => cable.close());
    cables.push(cable);
  }
  const hosts = cables.map(({ port }) => `127.0.0.1:${port}`).join(',');
  const service = await faultyService(t, servers, {
    environment: { EVENTSTORE_URL: `esdb://${hosts}?tls=false` },
  });
  await service.start();
  const client = clientOf(() => service.url, service.credential(), service.serverKey());
  for (const flag of FLAGS) await client.createFlag(flag);
  await until('the last flag is served', async () => {
    const { body } = await client.evaluate(FLAGS.at(-1)!);
    return body['variant'] === 'v0';
  });
  await service.untilReady();
  const load = loadOn(
    t,
    { servers, service, projectors: [], client },
    { commandsPerSecond: 25, evaluationsPerSecond: 80, attempts: 250 },
  );
  const cable = () => cables[leader];
  const pass = async (): Promise<void> => {
    for (const each of cables) await each.turn('pass');
  };
  const faults: readonly Fault[] = [
    {
      name: 'the leader dies, another leads',
      begin: async () => {
        await cable()?.turn('refuse');
        leader = 1 - leader;
      },
      end: pass,
      isSurvived: true,
    },
    {
      name: 'another leads, and the old leader stays and refuses',
      begin: async () => {
        leader = 1 - leader;
      },
      end: pass,
      isSurvived: true,
    },
    {
      name: 'the leader hangs, another leads after that',
      begin: async () => {
        await cable()?.turn('silent');
        leader = 1 - leader;
      },
      end: pass,
      isSurvived: true,
    },
    {
      name: 'nobody leads',
      begin: async () => (verdict = 'not-ready'),
      end: async () => (verdict = undefined),
      isSurvived: false,
    },
    {
      name: 'the cables of all nodes are pulled',
      begin: async () => {
        for (const each of cables) await each.turn('silent');
      },
      end: async () => {
        for (const each of cables) await each.turn('stale');
      },
      isSurvived: false,
    },
  ];
  for (const { name, begin, end, isSurvived } of faults) {
    await untilAcknowledged(load, 10);
    const began = performance.now();
    await begin();
    if (!isSurvived) {
      await until(`${name}: /ready tells it`, async () => {
        const { status } = await service.ready();
        return status === 'degraded';
      });
      t.equal((await client.command('flag-1', { description: name })).status, 503, name);
      await delay(OUTAGE_MS);
      t.equal((await service.ready()).status, 'degraded', `${name}: /ready still tells it`);
      await end();
    }
    const from = isSurvived ? began : performance.now();
    await untilAcknowledged(load, 1);
    // What was on its way when the fault began may be acknowledged after it.
    await untilAcknowledged(load, 10);
    t.comment(`${name}: commands again after ${Math.round(performance.now() - from)} ms`);
    if (isSurvived) await end();
    await service.untilReady(`${name}: ready again`);
    t.comment(`${name}: ready again after ${Math.round(performance.now() - from)} ms`);
  }
  await load.stop();
  checkAnswers(t, load);
  await checkInvariants(t, servers, load);
});

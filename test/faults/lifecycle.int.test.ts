import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { until } from '../support/until.js';
import { startLoad } from './support/load.js';
import {
  byLength,
  checkInvariants,
  FLAGS,
  HANGING_MS,
  loadOn,
  startScenario,
  untilAcknowledged,
  VARIANTS,
} from './support/scenario.js';
import { faultyService } from './support/service.js';

const ROUNDS = byLength(1, 10);

test('a start with everything away, and SIGTERM under load', async (t) => {
  const scenario = await startScenario(t, { DRAIN_MS: '700' });
  const { service, servers, client } = scenario;
  const all = [servers.eventStore, servers.postgres, servers.redis];

  await t.test('SIGTERM drains: no request fails, a neighbour takes over', async (t) => {
    const environment = { DRAIN_MS: '700', ROLE: 'all' };
    const neighbour = await faultyService(t, servers, { name: 'neighbour', environment });
    await neighbour.start();
    const pair = [service, neighbour];
    let nth = 0;
    /** A load balancer: asks /ready, and sends to those that are. */
    let ready: readonly string[] = [service.url];
    const watch = setInterval(() => {
      for (const { url, ready: ask } of pair)
        ask().then(
          ({ status }) => {
            const others = ready.filter((other) => other !== url);
            ready = status === 'stopping' ? others : [...others, url];
          },
          () => undefined,
        );
    }, 50);
    t.teardown(() => {
      clearInterval(watch);
    });
    const load = startLoad({
      target: () => ready[nth++ % ready.length] ?? service.url,
      credential: client.credential,
      serverKey: client.serverKey,
      flags: FLAGS,
      variants: VARIANTS,
      commandsPerSecond: byLength(20, 60),
      evaluationsPerSecond: byLength(80, 300),
    });
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const leaving of pair) {
        await until('both are ready', () => ready.length === 2);
        await untilAcknowledged(load, 10);
        const began = performance.now();
        const code = await leaving.stop('SIGTERM');
        t.equal(code, 0, `ended by itself after ${Math.round(performance.now() - began)} ms`);
        await leaving.start();
      }
    }
    await load.stop();
    const failed = load.commands.filter(
      ({ outcome, statuses }) => outcome === 'unknown' || statuses.includes('broken'),
    );
    t.strictSame(failed, [], `none of ${load.commands.length} commands failed`);
    const broken = load.evaluations.filter(({ status }) => status !== 200);
    t.strictSame(broken, [], `none of ${load.evaluations.length} evaluations failed`);
    await neighbour.stop();
  });

  await t.test('with a copy on disk it evaluates, and says that it is degraded', async (t) => {
    const load = loadOn(t, scenario, { commandsPerSecond: 20 });
    await untilAcknowledged(load, 10);
    await load.stop();
    const before = await client.evaluate('flag-0');
    const copy = join(service.dataDirectory, 'rulesets.jsonl');
    await until('there is a copy', () => existsSync(copy));
    await service.stop();
    for (const { process } of all) await process.kill();
    const began = performance.now();
    await service.start();
    const { status, body, ms } = await client.evaluate('flag-0');
    t.comment(`evaluates ${Math.round(performance.now() - began)} ms after the start`);
    t.equal(status, 200);
    t.equal(body['variant'], before.body['variant'], 'the last known variant');
    t.ok(ms < HANGING_MS);
    const readiness = await service.ready();
    t.equal(readiness.status, 'degraded');
    const rulesets = readiness.parts.find(({ name }) => name === 'rulesets');
    t.match(rulesets?.details, { source: 'disk' });
    t.type(rulesets?.details['ageMs'], 'number', 'and how old its data is');
    const command = await client.command('flag-0', { description: 'away' });
    t.equal(command.status, 503);
    t.ok(command.ms < HANGING_MS, `commands say so in ${Math.round(command.ms)} ms`);
    for (const { process } of all) await process.start();
    await service.untilReady('it recovers without help');
    const again = loadOn(t, scenario);
    await untilAcknowledged(again, 10);
    await again.stop();
    await checkInvariants(t, servers, again);
  });

  await t.test('without a copy it ends with one clear line', async (t) => {
    for (const { process, proxy } of all) {
      await process.kill();
      await proxy.turn('refuse');
    }
    const fresh = await faultyService(t, servers, { name: 'fresh' });
    await t.rejects(fresh.start(), /ended with 1/);
    const lines = fresh.output().trim().split('\n');
    t.equal(lines.length, 1, lines.join('\n'));
    t.match(lines[0], /cannot use the event store \(EVENTSTORE_URL\): .*; Postgres .*; Redis /);
    for (const { proxy } of all) await proxy.turn('pass');
    await t.rejects(fresh.start(), /ended with 1/);
    t.match(
      fresh.output().trim(),
      /^chronoflag: cannot use the event store .*$/,
      'one line here too',
    );
  });

  await t.test('whatever fails at a start ends the process', async (t) => {
    for (const { process, proxy } of all) {
      await process.start();
      await proxy.turn('pass');
    }
    const wrong = {
      AUDIT_SIGNING_KEY: '/nowhere/key.pem',
      OIDC_ISSUER: 'http://127.0.0.1:1/',
    };
    for (const [name, value] of Object.entries(wrong)) {
      const environment = { [name]: value };
      const service = await faultyService(t, servers, { name: name.toLowerCase(), environment });
      await t.rejects(service.start(), /ended with 1/, name);
    }
  });
});

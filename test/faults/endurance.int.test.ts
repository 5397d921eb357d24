import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { test, type Test } from 'tap';
import { until } from '../support/until.js';
import {
  byLength,
  checkInvariants,
  FLAGS,
  loadOn,
  type Scenario,
  startScenario,
  untilAcknowledged,
} from './support/scenario.js';
import { withClockAt } from './support/clock.js';
import { faultFolder, mountDisk } from './support/servers.js';
import { faultyService, type FaultyService, request } from './support/service.js';

const SECONDS = byLength(2, 60);

/** Commands and evaluations a second that the service can do when it is asked one after the other by some. */
const capacity = async (
  t: Test,
  scenario: Scenario,
): Promise<Readonly<{ commands: number; evaluations: number }>> => {
  const load = loadOn(t, scenario, {
    commandsPerSecond: 5_000,
    evaluationsPerSecond: 20_000,
    inFlight: 16,
  });
  const began = performance.now();
  await delay(byLength(1_000, 5_000));
  await load.stop();
  const seconds = (performance.now() - began) / 1_000;
  return {
    commands: load.acknowledged() / seconds,
    evaluations: load.evaluations.length / seconds,
  };
};

const isLevel = async (service: FaultyService): Promise<boolean> => {
  const model = await service.part('read_model');
  return model?.isReady === true && Number(model.details['lag'] ?? 0) === 0;
};

test('more than the service can do, and a backlog', async (t) => {
  const scenario = await startScenario(t, {}, ['projector']);
  const { service, servers, projectors, client } = scenario;
  const can = await capacity(t, scenario);
  t.comment(
    `it does ${can.commands.toFixed(0)} commands/s and ${can.evaluations.toFixed(0)} evaluations/s`,
  );

  for (const times of byLength([5], [2, 5]))
    await t.test(
      `${times} times as much for ${SECONDS} s: what is refused is refused, nothing is lost`,
      async (t) => {
        const load = loadOn(t, scenario, {
          commandsPerSecond: can.commands * times,
          evaluationsPerSecond: can.evaluations * times,
          inFlight: byLength(300, 2_000),
          attempts: 200,
        });
        const health: number[] = [];
        for (let second = 0; second < SECONDS; second += 1) {
          health.push((await request(`${service.url}/health`)).ms);
          await delay(1_000);
        }
        await load.stop();
        const statuses = new Set(load.evaluations.map(({ status }) => status));
        t.ok(
          [...statuses].every((status) => [0, 200, 503].includes(status)),
          `evaluations: ${[...statuses].join(', ')}`,
        );
        t.comment(`/health ms: ${health.map(Math.round).join(' ')}`);
        t.comment(
          `slowest command ${load.commands.reduce((most, { slowestMs }) => Math.max(most, slowestMs), 0).toFixed(0)} ms`,
        );
        await checkInvariants(t, servers, load);
        await service.untilReady('it is ready again');
      },
    );

  const backlog = byLength(300, 100_000);
  await t.test(`a backlog of ${backlog} events is caught up with, in order`, async (t) => {
    const [projector] = projectors;
    await projector?.stop();
    const load = loadOn(t, scenario, {
      commandsPerSecond: 2_000,
      evaluationsPerSecond: 20,
      inFlight: 48,
    });
    const from = load.acknowledged();
    while (load.acknowledged() - from < backlog) await delay(50);
    await load.stop();
    const began = performance.now();
    await projector?.start();
    const last = load.commands.reduce((most, { revision = 0 }) => Math.max(most, revision), 0);
    t.ok(last > 0);
    await until('the read model is level with the log', () => isLevel(service), 600);
    t.comment(`caught up in ${((performance.now() - began) / 1_000).toFixed(1)} s`);
    t.equal((await client.evaluate(FLAGS[0] ?? '')).status, 200);
    await checkInvariants(t, servers, load);
  });
});

/** Open files and resident bytes of a process. */
const usageOf = (pid: number): Readonly<{ files: number; bytes: number }> => ({
  files: readdirSync(`/proc/${pid}/fd`).length,
  bytes: Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1_024,
});

const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0);

/** By least squares, in units a sample. */
const slopeOf = (values: readonly number[]): number => {
  const middle = (values.length - 1) / 2;
  const mean = sum(values) / values.length;
  const over = sum(values.map((value, at) => (at - middle) * (value - mean)));
  return over / sum(values.map((_, at) => (at - middle) ** 2));
};

const SOAK = byLength({ samples: 8, everyMs: 400 }, { samples: 360, everyMs: 10_000 });

const sampled = async <T>(take: () => T): Promise<readonly T[]> => {
  const samples: T[] = [];
  for (let nth = 0; nth < SOAK.samples; nth += 1) {
    await delay(SOAK.everyMs);
    samples.push(take());
  }
  return samples;
};

/** How much more there is after the last two thirds, by their slope: caches fill at first. */
const growthOf = (values: readonly number[]): Readonly<{ late: number; text: string }> => {
  const late = values.slice(Math.floor(values.length / 3));
  const growth = slopeOf(late) * late.length;
  const [first = 0, last = 0] = [values[0], values.at(-1)];
  return {
    late: growth,
    text: `${first.toFixed(0)} → ${last.toFixed(0)}, late ${growth.toFixed(1)}`,
  };
};

test('hours of ordinary work with clients that come and go', async (t) => {
  const scenario = await startScenario(t);
  const { service, servers, client } = scenario;
  const load = loadOn(t, scenario, { commandsPerSecond: 15, evaluationsPerSecond: 150 });
  let isOver = false;
  const churn = async (): Promise<void> => {
    for (let nth = 0; !isOver; nth += 1) {
      const left = new AbortController();
      const url = `${service.url}/api/v1/projects/demo/environments/production/events`;
      const headers = { 'x-api-key': client.serverKey };
      const opened = await fetch(url, { headers, signal: left.signal }).catch(() => undefined);
      await client.createFlag(`made-${nth}`);
      await client.send('DELETE', `/api/v1/projects/demo/flags/made-${nth}`);
      left.abort();
      await opened?.body?.cancel().catch(() => undefined);
      await delay(200);
    }
  };
  const churning = Promise.all([churn(), delay(100).then(churn)]);
  const samples = await sampled(() => usageOf(service.pid() ?? 0));
  isOver = true;
  await churning;
  await load.stop();
  const files = growthOf(samples.map((one) => one.files));
  const megabytes = growthOf(samples.map((one) => one.bytes / 2 ** 20));
  t.comment(`open files ${files.text}; resident MB ${megabytes.text}`);
  t.ok(files.late < 20, 'no file stays open');
  t.ok(megabytes.late < 150, 'memory does not grow without end');
  await checkInvariants(t, servers, load);
});

const MINUTE = 60_000;
const DAY = 86_400_000;

test('processes whose clocks differ', async (t) => {
  const scenario = await startScenario(t);
  const { servers, service } = scenario;
  for (const offset of byLength([-DAY], [-5 * MINUTE, 5 * MINUTE, -DAY, DAY])) {
    const name = `clock-${offset}`;
    const other = await faultyService(t, servers, { name, environment: withClockAt(offset) });
    await other.start();
    let turn = 0;
    const load = loadOn(t, scenario, {
      target: () => ((turn += 1) % 2 === 0 ? service.url : other.url),
      evaluationsPerSecond: 20,
    });
    await untilAcknowledged(load, byLength(30, 500));
    await load.stop();
    const log = await checkInvariants(t, servers, load);
    const statuses = new Set(load.commands.flatMap((command) => command.statuses));
    const codes = new Set(load.commands.flatMap((command) => command.codes));
    t.ok(
      [...statuses].every((status) => status === 200 || status === 409),
      `${offset} ms: ${[...statuses, ...codes].join(', ')}`,
    );
    t.ok(log.length > 0);
    await other.stop();
  }
});

/** With room for what the experiment itself writes, and logs that are not written anew meanwhile. */
const DISKS = [
  { of: 'postgres', megabytes: 800 },
  { of: 'redis', megabytes: 100 },
  { of: 'event-store', megabytes: 100 },
] as const;

type Disk = (typeof DISKS)[number];

const experiment = async (t: Test, { of, megabytes }: Disk): Promise<void> => {
  const folder = faultFolder(t);
  if (!mountDisk(t, join(folder, of), megabytes)) {
    t.comment('no file system may be mounted here');
    return;
  }
  const scenario = await startScenario(t, {}, [], folder);
  const { servers, service, client } = scenario;
  const load = loadOn(t, scenario, { attempts: 400, evaluationsPerSecond: 40 });
  await untilAcknowledged(load, 20);
  const ballast = join(folder, of, 'ballast');
  execFileSync('sh', ['-c', 'dd if=/dev/zero of="$0" bs=1M 2>/dev/null; sync; true', ballast]);
  for (let second = 0; second < byLength(3, 30); second += 1) {
    await delay(1_000);
    t.equal((await client.evaluate(FLAGS[0] ?? '')).status, 200, 'it evaluates');
  }
  const { status, parts } = await service.ready();
  t.comment(
    `/ready on a full disk: ${status}, ${parts
      .filter(({ isReady }) => !isReady)
      .map(({ name }) => name)
      .join(', ')}`,
  );
  rmSync(ballast);
  for (const [name, server] of [
    ['postgres', servers.postgres],
    ['redis', servers.redis],
    ['event-store', servers.eventStore],
  ] as const)
    if (!server.process.isRunning()) {
      t.comment(`${name} had ended and is started again`);
      await server.process.start();
    }
  await untilAcknowledged(load, 20);
  await load.stop();
  // A verification that ran meanwhile holds what was behind against it until the next, an hour later.
  await until('it is ready again', async () =>
    (await service.ready()).parts.every(({ name, isReady }) => isReady || name === 'verification'),
  );
  await checkInvariants(t, servers, load);
};

test('a full disk', async (t) => {
  for (const disk of byLength<readonly Disk[]>(DISKS.slice(1, 2), DISKS))
    await t.test(`of ${disk.of}`, (t) => experiment(t, disk));
});

// State at a past moment in a long log: filling it, reading it, building the read model from it, then questions about
// the past over HTTP. 1 000 000 events, or another number with `--events=100000`.
import { EventStoreDBClient } from '@eventstore/db-client';
import { runBench } from './support/bench.js';
import { call } from './support/http.js';
import { ENVIRONMENT, fillLog, FLAGS, FLAGS_PER_PROJECT, placeOf } from './support/long-log.js';
import { figure, quantile } from './support/numbers.js';
import { type Row, row, times } from './support/report.js';
import { build, runScript, startBackends, startService } from './support/service.js';

const EVENTS = Number(/--events=(\d+)/.exec(process.argv.join(' '))?.[1] ?? 1_000_000);
const REBUILD_PER_SECOND = 10_000;
const WARM_UP = 30;
const SETTLE_MS = 5_000;

const readAll = async (client: EventStoreDBClient): Promise<number> => {
  let events = 0;
  for await (const { event } of client.readAll()) if (event !== undefined) events += 1;
  return events;
};

const perSecondOf = async (work: () => Promise<number>): Promise<number> => {
  const began = performance.now();
  return ((await work()) * 1_000) / (performance.now() - began);
};

const random = (below: number): number => Math.floor(Math.random() * below);

await runBench('time-travel', 780, async (bench) => {
  await build();
  const backends = await startBackends(bench);
  const client = EventStoreDBClient.connectionString(backends.eventStoreUrl);
  const began = performance.now();
  const { events: written, complete } = await fillLog(client, EVENTS);
  const filledMs = performance.now() - began;
  const filledAt = Date.now();
  const filled = (written * 1_000) / filledMs;
  bench.say(`filled with ${figure(EVENTS)} events at ${figure(filled)}/s`);
  const read = await perSecondOf(() => readAll(client));
  bench.say(`read at ${figure(read)}/s`);
  void client.dispose();

  const output = await runScript(['dist/cli/projections.js', 'rebuild'], {
    EVENTSTORE_URL: backends.eventStoreUrl,
    DATABASE_URL: backends.databaseUrl,
  });
  const told = /Rebuilt from .* \(([\d,]+)\/s\), up to position (\d+)/.exec(output);
  if (told === null) throw new Error(output);
  const rebuilt = Number(told[1]?.replaceAll(',', ''));
  const head = Number(told[2]);
  bench.say(`rebuilt at ${figure(rebuilt)}/s`);

  const { url, credential } = await startService(bench, { backends });
  // The new process fills Redis and compiles all flags meanwhile.
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const ask = async (count: number, pathOf: () => string): Promise<readonly number[]> => {
    const taken: number[] = [];
    for (let n = 0; n < count + WARM_UP; n += 1) {
      const path = pathOf();
      const began = performance.now();
      await call(`${url}${path}`, { credential });
      if (n >= WARM_UP) taken.push(performance.now() - began);
    }
    return taken;
  };
  const flag = (): string => {
    const { project, key } = placeOf(random(FLAGS));
    return `/api/v1/projects/${project}/flags/${key}`;
  };
  const environment = (): string =>
    `/api/v1/projects/${placeOf(random(FLAGS)).project}/environments/${ENVIRONMENT}/flags`;
  const position = (): number => complete + random(head - complete);
  const moment = (): string =>
    new Date(filledAt - random(Math.min(10_000, filledMs / 2))).toISOString();

  const floor = await ask(300, () => '/health');
  const rowOf = (what: string, taken: readonly number[], limitMs?: number): Row => {
    const [p50, p99] = [quantile(taken, 0.5), quantile(taken, 0.99)];
    return row(what, {
      measured: `p50 ${figure(p50)} ms, p99 ${figure(p99)} ms`,
      reference: `/health p50 ${figure(quantile(floor, 0.5))} ms, p99 ${figure(quantile(floor, 0.99))} ms`,
      ratio: times(p50 / quantile(floor, 0.5)),
      ...(limitMs !== undefined && { target: `p99 < ${limitMs} ms`, holds: p99 < limitMs }),
    });
  };
  const events = `log of ${figure(EVENTS)} events`;
  return [
    row(`filling a ${events}, 25 at a time`, { measured: `${figure(filled)} events/s` }),
    row(`rebuild of the read model, ${events}`, {
      measured: `${figure(rebuilt)} events/s`,
      reference: `the client only reads $all ${figure(read)}/s`,
      ratio: times(rebuilt / read),
      target: `≥ ${figure(REBUILD_PER_SECOND)} events/s`,
      holds: rebuilt >= REBUILD_PER_SECOND,
    }),
    rowOf(
      `flag at a position, ${events}`,
      await ask(1_000, () => `${flag()}?position=${position()}`),
      10,
    ),
    rowOf(
      `environment of ${FLAGS_PER_PROJECT} flags at a position`,
      await ask(100, () => `${environment()}?position=${position()}`),
      100,
    ),
    rowOf('page of a history, 50 changes', await ask(200, () => `${flag()}/history?limit=50`)),
    rowOf(
      'a time → its log position (one flag at that time)',
      await ask(500, () => `${flag()}?at=${moment()}`),
    ),
  ];
});

// From starting the program to the first evaluation answered: in an empty data directory, and again. References in the
// same run: a Node that does nothing, and Postgres alone made and started with the same settings.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { startLocalStack } from '../src/embedded/stack/stack.js';
import { type Bench, runBench } from './support/bench.js';
import { callUntil } from './support/http.js';
import { figure, median } from './support/numbers.js';
import { row, times } from './support/report.js';
import { build, startService } from './support/service.js';

const ROUNDS = 3;
const FIRST_MS = 8_000;
const AGAIN_MS = 3_000;

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const began = performance.now();
  await work();
  return performance.now() - began;
};

const bareNode = (): Promise<number> =>
  timed(() => once(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }), 'exit'));

const quiet = (): void => undefined;

const barePostgres = async (dataDirectory: string): Promise<number> => {
  const needs = { eventStore: false, postgres: true, redis: false };
  const began = performance.now();
  const stack = await startLocalStack({ dataDirectory, needs, log: { info: quiet, warn: quiet } });
  const took = performance.now() - began;
  await stack.stop();
  return took;
};

/** The program that `npm start` runs. */
const PROGRAM = ['scripts/start.mjs', 'dist/main.js'];

/** Printed by the first start only. */
let serverKey: string | undefined;

const start = async (bench: Bench, dataDirectory: string): Promise<number> => {
  const began = performance.now();
  const service = await startService(bench, { dataDirectory, program: PROGRAM });
  const evaluate = '/api/v1/projects/demo/environments/production/evaluate';
  serverKey = service.serverKey ?? serverKey;
  const url = `${service.url}${evaluate}?targetingKey=anna`;
  await callUntil(url, serverKey, (answer) => answer !== '');
  const took = performance.now() - began;
  await service.stop();
  return took;
};

await runBench('start-up', 150, async (bench) => {
  await build();
  await start(bench, join(bench.folder, 'warm-up'));
  const taken = {
    node: [] as number[],
    postgres: [] as number[],
    first: [] as number[],
    again: [] as number[],
  };
  for (let round = 0; round < ROUNDS; round += 1) {
    const folder = join(bench.folder, `round-${round}`);
    taken.node.push(await bareNode());
    taken.postgres.push(await barePostgres(join(bench.folder, `postgres-${round}`)));
    taken.first.push(await start(bench, folder));
    taken.again.push(await start(bench, folder));
    bench.say(
      Object.entries(taken)
        .map(([name, all]) => `${name} ${figure(all.at(-1) ?? NaN)} ms`)
        .join(', '),
    );
  }
  const reference = `initdb and start of Postgres ${figure(median(taken.postgres))} ms; node -e 0 ${figure(median(taken.node))} ms`;
  const rowOf = (what: string, all: readonly number[], limitMs: number) =>
    row(what, {
      measured: `${figure(median(all) / 1_000)} s, worst ${figure(Math.max(...all) / 1_000)} s`,
      reference,
      ratio: times(median(all) / median(taken.postgres)),
      target: `< ${limitMs / 1_000} s`,
      holds: median(all) < limitMs,
    });
  return [
    rowOf('first start in an empty folder → first evaluation', taken.first, FIRST_MS),
    rowOf('start again → first evaluation', taken.again, AGAIN_MS),
  ];
});

// Evaluation over HTTP against a bare Fastify route with the same answer, in turns, in one run.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { userQueries } from './support/flags.js';
import { runBench } from './support/bench.js';
import { keyOf } from './support/evaluation-keys.js';
import { load } from './support/load.js';
import { figure } from './support/numbers.js';
import { type Row, row, times } from './support/report.js';

const CONNECTIONS = 50;
const ROUNDS = 4;
const SECONDS = 1;

type Case = {
  name: string;
  path: string;
  bare: string;
  body?: string;
  queries?: readonly string[];
  target: string;
  holds?: (ours: Measured, bare: Measured) => boolean;
};
type Measured = { requests: number; perSecond: number; p99Ms: number; cpuMicros: number };

const ratioAtMost =
  (most: number) =>
  (ours: Measured, bare: Measured): boolean =>
    ours.cpuMicros / bare.cpuMicros <= most;

const environments = '/api/v1/projects/shop/environments';
const query = 'targetingKey=3f2504e0-4f89-41d3-9a0c-0305e82c3301&plan=pro&country=CH';
const body = JSON.stringify({
  context: { targetingKey: '3f2504e0-4f89-41d3-9a0c-0305e82c3301', plan: 'pro', country: 'CH' },
});
const one = `${environments}/of-50/evaluate/flag-0001`;
const cases: readonly Case[] = [
  {
    name: 'one flag, GET',
    path: `${one}?${query}`,
    bare: '/one',
    target: 'CPU ≤ 1.7x',
    holds: ratioAtMost(1.7),
  },
  {
    name: 'one flag, POST',
    path: one,
    bare: '/one',
    body,
    target: 'CPU ≤ 2.2x',
    holds: ratioAtMost(2.2),
  },
  {
    name: 'all 50, GET',
    path: `${environments}/of-50/evaluate`,
    queries: userQueries,
    bare: '/50',
    target: 'CPU ≤ 2.2x; 200 users',
    holds: ratioAtMost(2.2),
  },
  {
    name: 'all 50, POST',
    path: `${environments}/of-50/evaluate`,
    bare: '/50',
    body,
    target: '',
  },
  {
    name: 'all 1000, POST',
    path: `${environments}/of-1000/evaluate`,
    bare: '/1000',
    body,
    target: 'CPU ≤ 600 µs',
    holds: ({ cpuMicros }) => cpuMicros <= 600,
  },
];

const ask = async (server: ChildProcess): Promise<{ cpuMicros: number; rssBytes: number }> => {
  server.send('cpu');
  const [answer] = (await once(server, 'message')) as [{ cpuMicros: number; rssBytes: number }];
  return answer;
};

const measure = async (
  server: ChildProcess,
  url: string,
  { body: postBody, queries }: Pick<Case, 'body' | 'queries'>,
): Promise<Measured> => {
  const post = { ...(postBody !== undefined && { body: postBody }), ...(queries && { queries }) };
  const before = await ask(server);
  const result = await load({
    url,
    ...post,
    credential: keyOf(url.includes('/of-1000/') ? 1_000 : 50),
    connections: CONNECTIONS,
    seconds: SECONDS,
  });
  const { cpuMicros } = await ask(server);
  return { ...result, cpuMicros: (cpuMicros - before.cpuMicros) / result.requests };
};

const best = (results: readonly Measured[]): Measured =>
  results.reduce((one, other) => (other.cpuMicros < one.cpuMicros ? other : one));

const rowOf = ({ name, target, holds }: Case, ours: Measured, bare: Measured): Row => {
  const text = ({ perSecond, cpuMicros, p99Ms }: Measured): string =>
    `${figure(perSecond)}/s, ${figure(cpuMicros)} µs CPU, p99 ${figure(p99Ms)} ms`;
  return row(`evaluate ${name}`, {
    measured: text(ours),
    reference: `bare Fastify ${text(bare)}`,
    ratio: `CPU ${times(ours.cpuMicros / bare.cpuMicros)}`,
    target,
    ...(holds && { holds: holds(ours, bare) }),
  });
};

await runBench('evaluation', 120, async (bench) => {
  // Built as the product is: the loader for TypeScript adds calls to every function that is made on the way.
  const file = fileURLToPath(new URL('../dist/bench/evaluation-server.mjs', import.meta.url));
  await build({
    entryPoints: [fileURLToPath(new URL('support/evaluation-server.ts', import.meta.url))],
    outfile: file,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
  });
  const server = fork(file);
  bench.atEnd(() => server.kill());
  const [origins] = (await once(server, 'message')) as [{ ours: string; bare: string }];
  const rows: Row[] = [];
  for (const one of cases) {
    const [ours, reference]: [Measured[], Measured[]] = [[], []];
    for (let round = 0; round < ROUNDS; round += 1) {
      reference.push(await measure(server, origins.bare + one.bare, one));
      ours.push(await measure(server, origins.ours + one.path, one));
    }
    rows.push(rowOf(one, best(ours), best(reference)));
    bench.say(`${one.name}: ${rows.at(-1)?.ratio ?? ''}`);
  }
  return rows;
});

// Evaluation over HTTP against a bare Fastify route with the same answer, in turns, in one run.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { load } from './support/load.js';

const CONNECTIONS = 50;
const ROUNDS = 4;
const SECONDS = 1;

type Case = { name: string; path: string; bare: string; body?: string; reach: string };
type Measured = { requests: number; perSecond: number; p99Ms: number; cpuMicros: number };

const environments = '/api/v1/projects/shop/environments';
const query = 'targetingKey=3f2504e0-4f89-41d3-9a0c-0305e82c3301&plan=pro&country=CH';
const body = JSON.stringify({
  context: { targetingKey: '3f2504e0-4f89-41d3-9a0c-0305e82c3301', plan: 'pro', country: 'CH' },
});
const one = `${environments}/of-50/evaluate/flag-0001`;
const cases: readonly Case[] = [
  { name: 'one flag, GET', path: `${one}?${query}`, bare: '/one', reach: '≤ 1.7x' },
  { name: 'one flag, POST', path: one, bare: '/one', body, reach: '≤ 2.2x' },
  {
    name: 'all 50, GET',
    path: `${environments}/of-50/evaluate?${query}`,
    bare: '/50',
    reach: '≤ 2.5x',
  },
  {
    name: 'all 50, POST',
    path: `${environments}/of-50/evaluate`,
    bare: '/50',
    body,
    reach: '',
  },
  {
    name: 'all 1000, POST',
    path: `${environments}/of-1000/evaluate`,
    bare: '/1000',
    body,
    reach: '≤ 600 µs',
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
  postBody: string | undefined,
): Promise<Measured> => {
  const post = postBody === undefined ? {} : { body: postBody };
  const before = await ask(server);
  const result = await load({ url, ...post, connections: CONNECTIONS, seconds: SECONDS });
  const { cpuMicros } = await ask(server);
  return { ...result, cpuMicros: (cpuMicros - before.cpuMicros) / result.requests };
};

const best = (results: readonly Measured[]): Measured =>
  results.reduce((one, other) => (other.cpuMicros < one.cpuMicros ? other : one));

const row = (name: string, ours: Measured, bare: Measured, reach: string): string =>
  [
    name.padEnd(16),
    ours.perSecond.toFixed(0).padStart(8),
    bare.perSecond.toFixed(0).padStart(8),
    ours.cpuMicros.toFixed(1).padStart(9),
    bare.cpuMicros.toFixed(1).padStart(9),
    `${(ours.cpuMicros / bare.cpuMicros).toFixed(2)}x`.padStart(8),
    `${ours.p99Ms.toFixed(1)} / ${bare.p99Ms.toFixed(1)}`.padStart(14),
    `  ${reach}`,
  ].join('');

const file = new URL('support/evaluation-server.ts', import.meta.url);
const server = fork(file, { execArgv: process.execArgv });
const [origins] = (await once(server, 'message')) as [{ ours: string; bare: string }];

console.log('                   req/s  bare r/s   CPU µs  bare µs   ratio   p99 ms / bare   reach');
for (const { name, path, bare, body: postBody, reach } of cases) {
  const [ours, reference]: [Measured[], Measured[]] = [[], []];
  for (let round = 0; round < ROUNDS; round += 1) {
    reference.push(await measure(server, origins.bare + bare, postBody));
    ours.push(await measure(server, origins.ours + path, postBody));
  }
  console.log(row(name, best(ours), best(reference), reach));
}
const { rssBytes } = await ask(server);
console.log(`resident memory of the server: ${(rssBytes / 1e6).toFixed(0)} MB`);
server.disconnect();

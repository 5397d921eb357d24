// The server under load, in a process of its own: the evaluation routes, and next to each a bare route that sends
// the same bytes. Tells its parent both origins, and on every message the CPU time it has used, in microseconds.
import Fastify, { type FastifyReply } from 'fastify';
import { pino } from 'pino';
import { evaluationRoutes } from '../../src/api/evaluation/routes.js';
import { createHttp } from '../../src/composition/http.js';
import { serviceMetrics } from '../../src/composition/metrics.js';
import { compileRegex } from '../../src/infrastructure/re2-regex-compiler.js';
import { rulesetMemory } from '../../src/queries/evaluation/ruleset-memory.js';
import { keyMemory } from '../../src/infrastructure/keys/application-key-memory.js';
import { sha256 } from '../../src/infrastructure/keys/secrets.js';
import { keyOf } from './evaluation-keys.js';
import { mixedFlags, team, teamFlags, userQueries } from './flags.js';

const complete = (rulesets: ReturnType<typeof mixedFlags>) => ({
  isComplete: true,
  flags: new Map(rulesets.map((ruleset) => [ruleset.key, ruleset])),
  segments: new Map([[team.key, team]]),
});

const SIZES = [50, 1_000];

const memory = rulesetMemory({ compileRegex });
memory.publish({
  source: 'redis',
  position: 123_456,
  isComplete: true,
  environments: new Map([
    ['acme:shop:of-50', complete(teamFlags)],
    ['acme:shop:of-1000', complete(mixedFlags(1_000))],
  ]),
});

const keys = keyMemory();
keys.adopt(
  SIZES.map((size) => ({
    keyId: keyOf(size).slice(7, 19),
    kind: 'server',
    organizationId: 'acme',
    project: 'shop',
    environment: `of-${size}`,
    sha256: sha256(keyOf(size)),
    expiresAt: null,
  })),
);

const routes = evaluationRoutes({
  memory,
  compileRegex,
  rulesetsAt: () => Promise.reject(new Error('There is no past here.')),
});

// The product's own app, as it is put together for a process: hooks, limits, request ids, validation and metrics are
// part of the price.
const app = await createHttp({
  log: pino({ level: 'warn' }),
  version: 'bench',
  guard: { authenticate: () => Promise.resolve(undefined), verifyKey: keys.verify },
  routes: [routes],
  readiness: () => Promise.resolve([]),
  isStopping: () => false,
  metrics: serviceMetrics({
    readiness: async () => [],
    projections: () => [],
    rulesets: () => undefined,
    eventStreams: () => 0,
    recordedAheadMs: () => 0,
    waitingCheckpoints: async () => ({}),
    head: async () => -1,
  }),
});
const bare = Fastify();

/** Bytes that the bare routes send: those of a real answer, fetched once. */
const bodies = new Map<string, string>();
const sendBare = (name: string, reply: FastifyReply): void => {
  void reply.header('content-type', 'application/json; charset=utf-8').send(bodies.get(name));
};
for (const name of ['one', '50', '1000']) {
  bare.get(`/${name}`, (_, reply) => {
    sendBare(name, reply);
  });
  bare.post(`/${name}`, (_, reply) => {
    sendBare(name, reply);
  });
}

const evaluate = '/api/v1/projects/shop/environments';
for (const [name, url, size] of [
  ['one', `${evaluate}/of-50/evaluate/flag-0001?targetingKey=anna`, 50],
  ['50', `${evaluate}/of-50/evaluate?${userQueries[0] ?? ''}`, 50],
  ['1000', `${evaluate}/of-1000/evaluate?targetingKey=anna`, 1_000],
] as const) {
  const { body, statusCode } = await app.inject({ url, headers: { 'x-api-key': keyOf(size) } });
  if (statusCode !== 200) throw new Error(`${url}: ${body}`);
  bodies.set(name, body);
}

const anywhere = { port: 0, host: '127.0.0.1' };
process.send?.({ ours: await app.listen(anywhere), bare: await bare.listen(anywhere) });
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuMicros: user + system, rssBytes: process.memoryUsage.rss() });
});
process.once('disconnect', () => {
  process.exit(0);
});

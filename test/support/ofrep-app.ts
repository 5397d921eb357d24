import { type AddressInfo } from 'node:net';
import { type Test } from 'tap';
import { buildApp } from '../../src/api/http/build-app.js';
import { ofrepRoutes } from '../../src/api/ofrep/routes.js';
import { type EventStreamDeps, eventStreams } from '../../src/api/ofrep/event-streams.js';
import { type StreamLimits } from '../../src/api/ofrep/stream-route.js';
import { type Ruleset } from '../../src/domain/evaluation/ruleset.js';
import { keyMemory } from '../../src/infrastructure/keys/application-key-memory.js';
import { compileRegex } from '../../src/infrastructure/re2-regex-compiler.js';
import { keyIdFrom, newSecret } from '../../src/infrastructure/keys/secrets.js';
import { rulesetMemory } from '../../src/queries/evaluation/ruleset-memory.js';
import { keepSecret, testLogger } from './canary.js';

const ENVIRONMENT = 'acme:shop:production';

export type OfrepAppOptions = Readonly<{
  rulesets?: readonly Ruleset[];
  streams?: Partial<EventStreamDeps>;
  limits?: Partial<StreamLimits>;
  allowedOrigins?: readonly string[];
  /** Of the environment. */
  ownOrigins?: readonly string[];
  publicUrl?: string;
}>;

/** OFREP over a ruleset memory, listening, with a clock to be moved and keys to be taken away. */
export const ofrepApp = async (t: Test, options: OfrepAppOptions = {}) => {
  const memory = rulesetMemory({ compileRegex });
  const time = { now: Date.parse('2026-05-01T10:20:00Z') };
  const keys = keyMemory(() => time.now);
  const listeners = new Set<() => void>();
  const secrets = {
    server: newSecret('srv', keyIdFrom('server')),
    client: newSecret('cli', keyIdFrom('client')),
  };
  keepSecret(secrets.server.secret, secrets.client.secret);
  const adopt = (kinds: readonly (keyof typeof secrets)[]): void => {
    keys.adopt(
      kinds.map((kind) => ({
        ...secrets[kind],
        kind,
        organizationId: 'acme',
        project: 'shop',
        environment: 'production',
        expiresAt: null,
        allowedOrigins: options.ownOrigins ?? null,
      })),
    );
    for (const listener of listeners) listener();
  };
  adopt(['server', 'client']);

  let position = 100;
  /** The environment has these flags now, at the next log position. */
  const publish = (rulesets: readonly Ruleset[]): number => {
    position += 1;
    const content = {
      isComplete: true,
      flags: new Map(rulesets.map((ruleset) => [ruleset.key, ruleset])),
      segments: new Map(),
    };
    const environments = new Map([[ENVIRONMENT, content]]);
    memory.publish({ source: 'redis', position, isComplete: true, environments });
    return position;
  };
  publish(options.rulesets ?? []);

  const streams = eventStreams({
    memory,
    find: keys.find,
    onKeysChanged: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    ...options.streams,
  });
  const { sign, find, verify } = keys;
  const app = await buildApp({
    log: testLogger(),
    guard: { authenticate: async () => undefined, verifyKey: verify },
    routes: [],
    ofrep: ofrepRoutes({ ...options, memory, streams, sign, find, clock: () => time.now }),
    allowedOrigins: options.allowedOrigins,
    allowsOrigin: keys.allowsOrigin,
    operations: [],
    version: 'test',
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  t.teardown(() => app.close());
  return {
    app,
    memory,
    streams,
    time,
    publish,
    url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`,
    keys: { server: secrets.server.secret, client: secrets.client.secret },
    /** The server key is no longer valid. */
    revokeServerKey: (): void => {
      adopt(['client']);
    },
  };
};

export type OfrepApp = Awaited<ReturnType<typeof ofrepApp>>;

type Bulk = Readonly<{
  flags: readonly unknown[];
  eventStreams: readonly Readonly<{ url?: string; endpoint?: { requestUri: string } }>[];
}>;

/** Evaluates all flags. */
export const bulk = async (
  { app, keys }: OfrepApp,
  headers: Readonly<Record<string, string>> = {},
  query = '',
  context: object = {},
) => {
  const answer = await app.inject({
    method: 'POST',
    url: `/ofrep/v1/evaluate/flags${query}`,
    headers: { 'x-api-key': keys.server, ...headers },
    payload: { context },
  });
  return {
    status: answer.statusCode,
    etag: String(answer.headers['etag']),
    position: Number(answer.headers['x-position']),
    body: answer.body === '' ? undefined : answer.json<Bulk>(),
  };
};

/** The path of the event stream that an answer names. */
export const streamPath = async (ofrep: OfrepApp): Promise<string> => {
  const { body } = await bulk(ofrep);
  return body?.eventStreams[0]?.endpoint?.requestUri ?? '';
};

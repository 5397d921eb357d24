import { type InjectOptions } from 'fastify';
import { pino } from 'pino';
import { test } from 'tap';
import { buildApp } from '../../src/api/http/build-app.js';
import { type EvaluationDeps } from '../../src/api/evaluation/locate-environment.js';
import { evaluationRoutes } from '../../src/api/evaluation/routes.js';
import { type Caller } from '../../src/api/http/caller.js';
import { DomainError } from '../../src/domain/decider.js';
import { type ApplicationKey } from '../../src/domain/api-key.js';
import { type ApplicationKeyKind } from '../../src/domain/organization.js';
import { type Ruleset } from '../../src/domain/evaluation/ruleset.js';
import { compileRegex } from '../../src/infrastructure/re2-regex-compiler.js';
import { rulesetMemory } from '../../src/queries/evaluation/ruleset-memory.js';
import { OWNER_GRANTS } from '../../src/domain/access/grants.js';
import { aRuleset, aSplit, contentsOf } from '../support/rulesets.js';

const PATH = '/api/v1/projects/shop/environments/production/evaluate';
const byPlan = aSplit(
  [
    ['on', 99_999],
    ['off', 1],
  ],
  { bucketBy: 'plan' },
);
const flags = [
  aRuleset('checkout', {
    configuration: { targets: [{ variant: 'off', keys: ['anna'] }] },
  }),
  aRuleset('by-plan', { configuration: { fallthrough: byPlan } }),
];

const published = (rulesets: readonly Ruleset[], position: number) => {
  const memory = rulesetMemory({ compileRegex });
  const content = { isComplete: true, ...contentsOf(rulesets) };
  const environments = new Map([['acme:shop:production', content]]);
  memory.publish({ source: 'redis', position, isComplete: true, environments });
  return memory;
};

const started = async (deps: Partial<EvaluationDeps> = {}) => {
  const app = await buildApp({
    log: pino({ level: 'silent' }),
    guard: {
      authenticate: async (credential) => (credential === 'admin' ? ADMIN : undefined),
      verifyKey: (key) => KEYS.get(key),
    },
    routes: [
      evaluationRoutes({
        memory: published(flags, 44),
        rulesetsAt: async () => {
          throw new DomainError('moment-in-future', 'There is no past here.');
        },
        compileRegex,
        minPositionWaitMs: 1,
        ...deps,
      }),
    ],
    operations: [],
    version: 'test',
  });
  return {
    /** With a server key, unless the request says who sends it. */
    inject: (request: string | InjectOptions) => {
      const asked = typeof request === 'string' ? { url: request } : request;
      return app.inject({ ...asked, headers: { 'x-api-key': 'server', ...asked.headers } });
    },
  };
};

const ADMIN: Caller = {
  organizationId: 'acme',
  actor: { id: 'admin', type: 'apiKey', authMethod: 'admin-credential' },
  grants: OWNER_GRANTS,
};

const aKey = (kind: ApplicationKeyKind, environmentId: string): ApplicationKey => ({
  keyId: 'k',
  kind,
  organizationId: 'acme',
  environmentId,
});

const KEYS: ReadonlyMap<string, ApplicationKey> = new Map([
  ['server', aKey('server', 'acme:shop:production')],
  ['client', aKey('client', 'acme:shop:production')],
  ['other', aKey('server', 'acme:shop:staging')],
]);

const context = (attributes: Readonly<Record<string, unknown>>) => ({ context: attributes });

test('one flag for a context in the query', async (t) => {
  const app = await started();
  const answer = await app.inject(`${PATH}/checkout?targetingKey=anna`);
  t.equal(answer.statusCode, 200);
  t.match(answer.headers, { 'content-type': /^application\/json/, 'x-position': '44' });
  t.strictSame(answer.json(), {
    flagKey: 'checkout',
    value: false,
    variant: 'off',
    reason: 'TARGETING_MATCH',
    flagRevision: 3,
    position: 44,
  });
});

test('one flag for a context in the body', async (t) => {
  const app = await started();
  const payload = context({ targetingKey: 'bert', plan: 'pro', nested: { a: [1, null] } });
  const answer = await app.inject({ method: 'POST', url: `${PATH}/checkout`, payload });
  t.match(answer.json(), { variant: 'on', reason: 'DEFAULT', position: 44 });
});

test('all flags, for either kind of context', async (t) => {
  const app = await started();
  const expected = {
    flags: {
      'by-plan': { value: true, variant: 'on', reason: 'SPLIT', flagRevision: 3 },
      checkout: { value: false, variant: 'off', reason: 'TARGETING_MATCH', flagRevision: 3 },
    },
    position: 44,
  };
  t.strictSame((await app.inject(`${PATH}?targetingKey=anna&plan=pro`)).json(), expected);
  const payload = context({ targetingKey: 'anna', plan: 'pro' });
  const answer = await app.inject({ method: 'POST', url: PATH, payload });
  t.strictSame(answer.json(), expected);
  t.equal(answer.headers['x-position'], '44');
});

test('a flag that is not there never breaks an application', async (t) => {
  const app = await started();
  for (const key of ['unknown', '__proto__', 'constructor', '%20', '%C3%A9', 'a'.repeat(300)]) {
    const answer = await app.inject(`${PATH}/${key}?targetingKey=anna`);
    t.equal(answer.statusCode, 200, key);
    t.match(answer.json(), { reason: 'ERROR', errorCode: 'FLAG_NOT_FOUND', position: 44 });
  }
});

test('an unknown project or environment is a problem', async (t) => {
  const app = await started();
  for (const path of ['shop/environments/nowhere', 'nowhere/environments/production']) {
    const answer = await app.inject(`/api/v1/projects/${path}/evaluate/checkout`);
    t.equal(answer.statusCode, 404);
    t.match(answer.json(), { type: 'urn:chronoflag:problem:environment-not-found' });
  }
});

test('attributes in a query are texts; what is given twice is a list and no unit', async (t) => {
  const app = await started();
  const reason = async (query: string) =>
    (await app.inject(`${PATH}/by-plan?${query}`)).json<{ reason: string }>().reason;
  t.equal(await reason('plan=7'), 'SPLIT');
  t.equal(await reason('plan=a&plan=b'), 'DEFAULT');
  t.equal(await reason('plan='), 'DEFAULT');
  t.equal(await reason('__proto__=x&constructor=y'), 'DEFAULT');
});

test('contexts that are none are refused', async (t) => {
  const app = await started();
  const bodies = [
    '{}',
    '{"context":[]}',
    '{"context":null}',
    '{"context":{"targetingKey":7}}',
    '{"context":{},"more":1}',
    '{"context":{"a":"\\u0000"}}',
    '{"context":{"a":"\\ud800"}}',
    '{"context":{"a":1e400}}',
    '{"context":{"__proto__":{}}}',
    `{"context":{"a":${'['.repeat(40)}${']'.repeat(40)}}}`,
    '{"context":',
  ];
  for (const url of [PATH, `${PATH}/checkout`])
    for (const payload of bodies) {
      const headers = { 'content-type': 'application/json' };
      const answer = await app.inject({ method: 'POST', url, headers, payload });
      t.equal(answer.statusCode, 400, payload.slice(0, 40));
      t.match(answer.headers['content-type'], /^application\/problem\+json/);
    }
  const large = context({ a: 'x'.repeat(65 * 1024) });
  t.equal((await app.inject({ method: 'POST', url: PATH, payload: large })).statusCode, 413);
});

test('queries that are no context are refused', async (t) => {
  const app = await started();
  for (const query of [
    'targetingKey=a&targetingKey=b',
    'plan=%00',
    'plan=a&plan=%00',
    'targetingKey=%00',
    'position=one',
    `targetingKey=${'x'.repeat(5_000)}`,
  ])
    t.equal((await app.inject(`${PATH}/by-plan?${query}`)).statusCode, 400, query.slice(0, 40));
  const payload = context({});
  const answer = await app.inject({ method: 'POST', url: `${PATH}?plan=pro`, payload });
  t.equal(answer.statusCode, 400, 'attributes of a POST are in its body');
});

test('whoever must see their own write waits for it, but not for ever', async (t) => {
  const memory = published(flags, 44);
  const app = await started({ memory });
  const get = (position: string) =>
    app.inject({ url: `${PATH}/checkout`, headers: { 'x-min-position': position } });
  t.equal((await get('44')).statusCode, 200);
  const late = await get('45');
  t.equal(late.statusCode, 503);
  t.match(late.json(), { type: 'urn:chronoflag:problem:position-not-reached' });
  t.ok(late.headers['retry-after']);
  t.equal((await get('soon')).statusCode, 400);
  const patient = await started({ memory, minPositionWaitMs: 60_000 });
  const waiting = patient.inject({ url: `${PATH}/checkout`, headers: { 'x-min-position': '50' } });
  memory.publish({ source: 'redis', position: 51, isComplete: false, environments: new Map() });
  t.equal((await waiting).json<{ position: number }>().position, 51);
});

test('the past is evaluated with the rulesets of its position', async (t) => {
  const asked: unknown[] = [];
  const rulesets = [aRuleset('checkout', { revision: 1, configuration: { enabled: false } })];
  const app = await started({
    rulesetsAt: async (...question) => {
      asked.push(question);
      return { contents: contentsOf(rulesets), position: 12, instantMs: 0 };
    },
  });
  const address = { organizationId: 'acme', project: 'shop', environment: 'production' };
  const at = '2026-01-01T00:00:00Z';
  const one = await app.inject(`${PATH}/checkout?targetingKey=anna&at=${at}&revision=3`);
  t.match(one.json(), { reason: 'DISABLED', flagRevision: 1, position: 12 });
  t.equal(one.headers['x-position'], '12');
  const all = await app.inject({
    method: 'POST',
    url: `${PATH}?position=12`,
    payload: context({ targetingKey: 'anna' }),
  });
  t.strictSame(Object.keys(all.json<{ flags: object }>().flags), ['checkout']);
  t.strictSame(asked, [
    [address, { at }],
    [address, { position: 12 }],
  ]);
});

test('a past that there is not is a problem', async (t) => {
  const app = await started();
  t.equal((await app.inject(`${PATH}/checkout?at=2999-01-01T00:00:00Z`)).statusCode, 422);
});

test('before any rulesets have come, evaluation says that it cannot yet', async (t) => {
  const app = await started({ memory: rulesetMemory({ compileRegex }) });
  const answer = await app.inject(`${PATH}/checkout`);
  t.equal(answer.statusCode, 503);
  t.match(answer.json(), { type: 'urn:chronoflag:problem:rulesets-unavailable' });
});

test('who evaluates needs a key of that environment, or an admin credential', async (t) => {
  const app = await started();
  const statusOf = async (url: string, key: string) =>
    (await app.inject({ url, headers: { 'x-api-key': key } })).statusCode;
  t.strictSame(
    [await statusOf(PATH, 'server'), await statusOf(`${PATH}/checkout`, 'server')],
    [200, 200],
  );
  t.strictSame(
    [await statusOf(PATH, 'admin'), await statusOf(`${PATH}/checkout`, 'admin')],
    [200, 200],
  );
  t.equal(await statusOf(PATH, 'other'), 404, 'to a key of another environment there is none');
  t.equal(await statusOf(`${PATH}?position=12`, 'other'), 404, 'nor was there one');
  t.equal(await statusOf(PATH, 'nobody'), 401);
  t.equal(await statusOf(PATH, 'client'), 200);
  t.equal(await statusOf(`${PATH}/checkout`, 'client'), 403, 'a client key evaluates all flags');
  t.equal(await statusOf(`${PATH}?position=12`, 'client'), 403, 'and only the present');
  const bearer = { authorization: 'Bearer server', 'x-api-key': 'nobody' };
  t.equal((await app.inject({ url: PATH, headers: bearer })).statusCode, 200);
  const basic = { authorization: 'Basic c29tZTpvbmU=', 'x-api-key': 'server' };
  t.equal((await app.inject({ url: PATH, headers: basic })).statusCode, 200);
});

test('an answer is explained to whom asks for it', async (t) => {
  const app = await started();
  const url = `${PATH}/by-plan?targetingKey=anna&plan=pro`;
  const plain = (await app.inject(url)).json<object>();
  const { explanation, ...answer } = (await app.inject(`${url}&explain=true`)).json<{
    explanation: object;
  }>();
  t.strictSame(answer, plain);
  t.match(explanation, {
    decidedBy: 'fallthrough',
    now: /^\d{4}-\d\d-\d\dT.*Z$/,
    prerequisites: [],
    rules: [],
    unknowns: [],
    split: { bucketBy: 'plan', unit: 'pro', total: 100_000, variant: 'on' },
  });
  const payload = context({ targetingKey: 'anna' });
  const posted = await app.inject({
    method: 'POST',
    url: `${PATH}/checkout?explain=true`,
    payload,
  });
  t.match(posted.json(), {
    variant: 'off',
    explanation: { decidedBy: 'target', target: 'anna' },
  });
  const unknown = await app.inject(`${PATH}/unknown?explain=true`);
  t.match(unknown.json(), { errorCode: 'FLAG_NOT_FOUND' });
  t.equal((await app.inject(`${url}&explain=perhaps`)).statusCode, 400);
});

test('the past is explained with its own now', async (t) => {
  const app = await started({
    rulesetsAt: async () => ({ contents: contentsOf(flags), position: 12, instantMs: 86_400_000 }),
  });
  const answer = await app.inject(`${PATH}/checkout?position=12&explain=true`);
  t.match(answer.json(), { position: 12, explanation: { now: '1970-01-02T00:00:00.000Z' } });
});

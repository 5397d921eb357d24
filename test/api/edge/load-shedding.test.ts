import { pino } from 'pino';
import { test } from 'tap';
import { buildApp } from '../../../src/api/http/build-app.js';
import { OWNER_GRANTS } from '../../../src/domain/access/grants.js';
import { until } from '../../support/until.js';

const CALLER = {
  organizationId: 'acme',
  actor: { id: 'anna', type: 'apiKey', authMethod: 'test' },
  grants: OWNER_GRANTS,
} as const;

const appWith = () =>
  buildApp({
    log: pino({ level: 'silent' }),
    guard: { authenticate: async () => CALLER, verifyKey: () => undefined },
    routes: [
      async (routes) => {
        const config = { permission: 'project.read' } as const;
        routes.get('/thing', { config }, async () => ({}));
        routes.post('/thing', { config }, async () => ({}));
        routes.get('/evaluate', { config: { ...config, access: 'evaluation' } }, async () => ({}));
        routes.get('/health', { config: { access: 'public' } }, async () => ({}));
      },
    ],
    shedFrom: { queries: 20, commands: 200, evaluation: 800 },
    operations: [],
    version: 'test',
  });

/** Keeps the event loop busy for so long in every turn, until it is ended. Milliseconds. */
const blockLoop = (ms: number): (() => void) => {
  const block = (): void => {
    const end = performance.now() + ms;
    while (performance.now() < end);
  };
  const timer = setInterval(block, 1);
  return () => {
    clearInterval(timer);
  };
};

type Method = 'GET' | 'POST';
const REQUESTS: readonly (readonly [what: string, method: Method, path: string])[] = [
  ['query', 'GET', 'thing'],
  ['command', 'POST', 'thing'],
  ['evaluation', 'GET', 'evaluate'],
  ['health', 'GET', 'health'],
];

test('what can wait is refused while the event loop is late', async (t) => {
  const app = await appWith();
  t.teardown(() => app.close());
  const ask = (method: Method, path: string) =>
    app.inject({ method, url: `/api/v1/${path}`, headers: { authorization: 'Bearer x' } });
  const refused = async (): Promise<readonly string[]> => {
    const found = [];
    for (const [what, method, path] of REQUESTS)
      if ((await ask(method, path)).statusCode === 503) found.push(what);
    return found;
  };
  const untilRefused = async (...wanted: readonly string[]): Promise<void> => {
    await until(
      `refused: ${wanted.join(', ')}`,
      async () => (await refused()).join() === wanted.join(),
    );
  };

  t.strictSame(await refused(), []);

  await t.test('one long turn is no overload', async (t) => {
    const end = performance.now() + 300;
    while (performance.now() < end);
    t.strictSame(await refused(), []);
  });

  await t.test('queries first', async (t) => {
    const end = blockLoop(100);
    t.teardown(end);
    await untilRefused('query');
    t.match(await ask('GET', 'thing'), {
      statusCode: 503,
      headers: { 'retry-after': '2', 'content-type': /^application\/problem\+json/ },
      body: /urn:chronoflag:problem:overloaded/,
    });
  });

  await t.test('then commands, evaluation last', async (t) => {
    let end = blockLoop(300);
    await untilRefused('query', 'command');
    end();
    end = blockLoop(900);
    t.teardown(end);
    await untilRefused('query', 'command', 'evaluation');
    t.equal((await ask('GET', 'health')).statusCode, 200, 'health never');
  });

  await t.test('all is well again, by itself', async (t) => {
    await untilRefused();
    t.equal((await ask('GET', 'thing')).statusCode, 200);
  });
});

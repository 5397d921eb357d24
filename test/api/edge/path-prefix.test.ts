import { pino } from 'pino';
import { test } from 'tap';
import { buildApp } from '../../../src/api/http/build-app.js';
import { nameCommand } from '../../../src/api/http/command-route.js';
import { commandSender } from '../../../src/api/http/send-command.js';

const made = commandSender<{ status: 'active' }, never, never>(
  async () => ({
    ...{ kind: 'recorded', revision: 0, position: 1, events: [] },
    ...{ before: { status: 'active' }, after: { status: 'active' } },
  }),
  () => [],
);

const appAt = (publicUrl?: string) =>
  buildApp({
    log: pino({ level: 'silent' }),
    guard: { authenticate: async () => undefined, verifyKey: () => undefined },
    routes: [
      async (routes) => {
        const preValidation = nameCommand;
        routes.post('/things', { config: { access: 'public' }, preValidation }, (request, reply) =>
          made(request, reply, undefined as never, '/api/v1/things/one'),
        );
      },
    ],
    publicUrl,
    operations: [],
    version: 'test',
  });

for (const [publicUrl, prefix] of [
  ['https://example.com/flags', '/flags'],
  ['https://example.com', ''],
  [undefined, ''],
] as const)
  test(`behind a proxy at ${publicUrl ?? 'no path'}`, async (t) => {
    const app = await appAt(publicUrl);
    t.teardown(() => app.close());
    const { headers } = await app.inject({ method: 'POST', url: '/api/v1/things' });
    t.equal(headers['location'], `${prefix}/api/v1/things/one`);
    const document = (await app.inject('/openapi.json')).json<{ servers?: unknown }>();
    t.strictSame(document.servers, publicUrl && [{ url: publicUrl }]);
    const docs = await app.inject('/docs');
    t.match(docs, { statusCode: 302, headers: { location: 'docs/' } }, 'below any path');
    t.equal((await app.inject('/docs/')).statusCode, 200);
  });

import { once } from 'node:events';
import { get } from 'node:http';
import { type AddressInfo } from 'node:net';
import { pino } from 'pino';
import { test } from 'tap';
import { buildApp } from '../../src/api/http/build-app.js';
import { auditRoutes } from '../../src/api/audit/audit-log.js';
import { queriesOver } from '../../src/queries/queries.js';
import { comparingWith } from '../support/compared-rows.js';
import { testDatabase } from '../support/database.js';
import { OWNER_GRANTS } from '../../src/domain/access/grants.js';
import { eventLogOf } from '../support/read-model.js';

const CHUNK = `${'x'.repeat(64 * 1024)}\n`;

test('an export ends when its client goes away, and is never far ahead of it', async (t) => {
  const { pool: db } = await testDatabase(t);
  let given = 0;
  let stopped = (): void => undefined;
  const ended = new Promise<void>((resolve) => {
    stopped = resolve;
  });
  async function* endless(): AsyncGenerator<string> {
    try {
      for (;;) {
        given += 1;
        yield CHUNK;
      }
    } finally {
      stopped();
    }
  }
  const queries = {
    ...queriesOver(db, eventLogOf([]), { compareStreams: comparingWith(db, []) }),
    exportAuditLog: async () => ({ position: 7, chunks: endless() }),
  };
  const app = await buildApp({
    log: pino({ level: 'silent' }),
    guard: {
      authenticate: async () => ({
        organizationId: 'acme',
        actor: { id: 'tester', type: 'user', authMethod: 'none' },
        grants: OWNER_GRANTS,
      }),
      verifyKey: () => undefined,
    },
    routes: [auditRoutes(queries)],
    operations: [],
    version: 'test',
  });
  t.teardown(async () => app.close());
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;

  const headers = { authorization: 'Bearer acme' };
  const request = get({ port, path: '/api/v1/audit/export', headers });
  const [response] = (await once(request, 'response')) as [NodeJS.ReadableStream];
  await once(response, 'readable');
  request.destroy();
  await ended;
  t.ok(given < 500, 'what was made beyond the buffers of a connection');
});

import { type AddressInfo } from 'node:net';
import { pino } from 'pino';
import { test, type Test } from 'tap';
import { buildApp } from '../../src/api/http/build-app.js';
import { type AuditTrail, auditTrailRoutes } from '../../src/api/audit/trail.js';
import { OWNER_GRANTS } from '../../src/domain/access/grants.js';
import { type VerifyTrail } from '../../src/queries/trail/verify-trail.js';
import { httpClient } from '../support/http-client.js';
import { until } from '../support/until.js';

/** The routes over verifications that take until they are told to end; a bearer is the organization's id. */
const verifying = async (t: Test) => {
  const asked: VerifyTrail[] = [];
  const finish: (() => void)[] = [];
  const verify: AuditTrail['verify'] = async (one) => {
    asked.push(one);
    await new Promise<void>((resolve) => {
      finish.push(resolve);
      one.signal?.addEventListener('abort', () => {
        resolve();
      });
    });
    throw new Error('It ends here.');
  };
  const unused = async (): Promise<never> => Promise.reject(new Error('unused'));
  const app = await buildApp({
    log: pino({ level: 'silent' }),
    guard: {
      authenticate: async (organizationId) => ({
        organizationId,
        actor: { id: 'tester', type: 'user', authMethod: 'none' },
        grants: OWNER_GRANTS,
      }),
      verifyKey: () => undefined,
    },
    routes: [
      auditTrailRoutes({
        ...{ verify, prove: unused, take: unused, list: unused, latest: unused, delivery: unused },
        key: { keyId: '', publicKey: '', successions: [] },
      }),
    ],
    operations: [],
    version: 'test',
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  t.teardown(() => {
    for (const end of finish) end();
    return app.close();
  });
  const as = (organizationId: string) => {
    const client = httpClient(url, organizationId);
    t.teardown(client.disconnect);
    return { ask: () => client.get('/audit/verify'), leave: client.disconnect };
  };
  const begun = (count: number) => until(`${count} have begun`, () => asked.length === count);
  return { as, asked, finish, begun };
};

test('an organization verifies one at a time', async (t) => {
  const { as, begun, finish } = await verifying(t);
  const first = as('acme').ask();
  await begun(1);
  t.match(await as('acme').ask(), {
    status: 429,
    headers: { 'retry-after': '30' },
    body: { type: 'urn:chronoflag:problem:rate-limited' },
  });
  finish[0]?.();
  await first;
  const again = as('acme').ask();
  await begun(2);
  finish[1]?.();
  t.not((await again).status, 429);
});

test('a process verifies for three organizations at a time', async (t) => {
  const { as, begun, finish } = await verifying(t);
  const working = ['one', 'two', 'three'].map((id) => as(id).ask());
  await begun(3);
  t.match(await as('four').ask(), {
    status: 503,
    headers: { 'retry-after': '30' },
    body: { type: 'urn:chronoflag:problem:overloaded' },
  });
  for (const end of finish) end();
  await Promise.all(working);
});

test('a verification ends when who asked has gone, and makes room', async (t) => {
  const { as, asked, begun } = await verifying(t);
  const { ask, leave } = as('acme');
  const gone = t.rejects(ask());
  await begun(1);
  leave();
  await gone;
  await until('it is ended', () => asked[0]?.signal?.aborted === true);
  void as('acme')
    .ask()
    .catch(() => undefined);
  await begun(2);
});

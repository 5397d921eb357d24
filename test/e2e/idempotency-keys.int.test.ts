import { test } from 'tap';
import { PASSWORD } from '../support/people.js';
import { testService } from '../support/service.js';

const FLAGS = '/projects/demo/flags';
const REUSED = { status: 422, body: { type: 'urn:chronoflag:problem:idempotency-key-reused' } };

type Answered = Readonly<{ result: string; organizationId?: string }>;

test('an Idempotency-Key is of one command', async (t) => {
  const service = await testService(t);
  const other = await service.startAnother();
  for (const key of ['d1', 'd2']) await service.post(FLAGS, { body: { key, type: 'boolean' } });
  const enable = (flag: string) => `${FLAGS}/${flag}/environments/production/enable`;
  const keyed = (key: string, body?: object) => ({
    headers: { 'idempotency-key': key },
    ...(body && { body }),
  });

  await t.test('whichever stream another is for, and whichever process it comes to', async (t) => {
    t.match(await service.post(enable('d1'), keyed('k1')), { status: 200 });
    for (const [at, path, body] of [
      [service, enable('d2'), undefined],
      [other, enable('d2'), undefined],
      [other, '/projects/demo/segments', { key: 's' }],
      [service, '/projects', { key: 'new' }],
      [service, '/tokens', { name: 'x', role: 'viewer' }],
    ] as const)
      t.match(await at.post(path, keyed('k1', body)), REUSED, path);
    t.match(await service.patch('/projects/demo', keyed('k1', { name: 'New' })), REUSED);
    const { body } = await service.get<{ environments: object }>(`${FLAGS}/d2`);
    t.notMatch(body.environments, { production: { enabled: true } }, 'nothing was done');
    t.match(await other.post(enable('d1'), keyed('k1')), {
      status: 200,
      headers: { 'idempotency-replayed': 'true' },
    });
  });

  await t.test('two commands at once: one of them', async (t) => {
    for (let round = 0; round < 10; round += 1) {
      const made = await Promise.all(
        [service, other].map((process, nth) =>
          process.post(FLAGS, keyed(`race-${round}`, { key: `r${round}-${nth}`, type: 'boolean' })),
        ),
      );
      t.strictSame(made.map(({ status }) => status).toSorted(), [201, 422]);
    }
  });

  await t.test(
    'one command at two processes: one of the answers says that it is a repeat',
    async (t) => {
      for (let round = 0; round < 15; round += 1) {
        const body = { key: `once-${round}`, type: 'boolean' };
        const answers = await Promise.all(
          [service, other].map((process) => process.post(FLAGS, keyed(`once-${round}`, body))),
        );
        t.strictSame(
          answers.map(({ status }) => status),
          [201, 201],
        );
        t.strictSame(answers[0]?.body, answers[1]?.body);
        const replayed = answers.filter(
          ({ headers }) => headers['idempotency-replayed'] === 'true',
        );
        t.equal(replayed.length, 1);
      }
    },
  );

  await t.test('what wrote nothing leaves it free', async (t) => {
    const flag = (key: string) => keyed('k2', { key, type: 'boolean' });
    t.match(await service.post(FLAGS, flag('d1')), { status: 409 });
    t.match(await service.post<Answered>(enable('d1'), keyed('k2')), {
      body: { result: 'unchanged' },
    });
    t.match(await service.post(`${FLAGS}?dryRun=true`, flag('dry')), { status: 200 });
    t.match(await service.post(FLAGS, flag('d3')), { status: 201 });
    t.match(await service.post(FLAGS, flag('d4')), REUSED);
  });

  await t.test('another organization has its own', async (t) => {
    const register = (name: string, email: string, password = PASSWORD) =>
      service.post<Answered>('/organizations', {
        ...keyed('k1', { name, owner: { email, password } }),
        credential: null,
      });
    const first = await register('Acme', 'anna@example.com');
    t.equal(first.status, 201);
    t.match(await register('Acme', 'anna@example.com'), {
      status: 201,
      body: { organizationId: first.body.organizationId },
    });
    t.match(await register('Other', 'anna@example.com'), REUSED, 'another name');
    t.match(await register('Acme', 'anna@example.com', `${PASSWORD}!`), REUSED, 'another password');
    t.equal((await register('Acme', 'bert@example.com')).status, 201, 'somebody else');
  });
});

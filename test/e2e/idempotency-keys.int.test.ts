import { createHash } from 'node:crypto';
import pg from 'pg';
import { test } from 'tap';
import { canonicalJson } from '../../src/domain/json.js';
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

  await t.test('a batch: one request of two at once does it, both get its answer', async (t) => {
    const importAt = '/projects/demo/import';
    const revision = async (flag: string): Promise<number> =>
      (await service.get<{ revision: number }>(`${FLAGS}/${flag}?source=log`)).body.revision;
    /** Sends it to both processes at once, and again when `between` is done. */
    const once = async (path: string, key: string, body: object, between: () => unknown) => {
      const send = (to: typeof other) => to.post<object>(path, keyed(key, body));
      const both = await Promise.all([send(service), send(other)]);
      await between();
      const later = await send(other);
      t.strictSame(
        [...both, later].map(({ status }) => status),
        [200, 200, 200],
        path,
      );
      t.strictSame(both[0].text, both[1].text);
      t.strictSame(later.text, both[0].text);
      const replays = [...both, later].map(({ headers }) => headers['idempotency-replayed']);
      t.strictSame(replays.filter(Boolean).length, 2);
      t.match(await service.post(enable('d1'), keyed(key)), REUSED, 'is of this batch');
      return both[0].body;
    };
    const file = (on: number) => ({
      flags: Object.fromEntries(
        ['b1', 'b2', 'b3'].map((key) => [
          key,
          { state: 'ENABLED', variants: { on, off: 0 }, defaultVariant: 'on' },
        ]),
      ),
    });

    await service.post(FLAGS, { body: { key: 'b0', type: 'boolean' } });
    const past = await service.post<{ position: number }>(enable('b0'));
    t.match(
      await once(importAt, 'import', file(1), () =>
        service.post(`${FLAGS}/b1/environments/production/disable`),
      ),
      { summary: { created: 3 } },
    );
    const imported = await revision('b1');
    t.match(await service.post(importAt, keyed('import', file(2))), REUSED, 'another file');
    t.equal(await revision('b1'), imported, 'nothing was written');

    await service.post(`${FLAGS}/b0/environments/production/disable`);
    const to = { position: past.body.position };
    const revert = '/projects/demo/environments/production/revert';
    t.match(await once(revert, 'revert', to, () => service.post(enable('d2'))), {
      flags: [{ flag: 'b0', result: 'changed' }],
    });
    await service.post(`${FLAGS}/b0/environments/staging/disable`);
    const promotion = { to: 'staging', flags: ['b0', 'b1'] };
    const promote = '/projects/demo/environments/production/promote';
    await once(promote, 'promote', promotion, () =>
      service.post(`${FLAGS}/b0/environments/staging/disable`),
    );
    const { body: state } = await service.get(`${FLAGS}/b0?source=log`);
    t.match(state, { environments: { staging: { enabled: false } } }, 'the last word');
  });

  await t.test('an erasure, of which the table of keys tells nothing', async (t) => {
    const pool = new pg.Pool({ connectionString: service.stores.databaseUrl });
    t.teardown(() => pool.end());
    const value = 'erika.mustermann@example.com';
    const segment = { key: 'people', included: [value] };
    t.match(await service.post('/projects/demo/segments', keyed('named', segment)), {
      status: 201,
    });
    const file = {
      flags: {
        erika: {
          state: 'ENABLED',
          variants: { on: true, off: false },
          defaultVariant: 'off',
          targeting: { if: [{ '==': [{ var: 'targetingKey' }, value] }, 'on', 'off'] },
        },
      },
    };
    const first = await service.post('/projects/demo/import', keyed('with-name', file));
    t.match(first, { status: 200, text: value });

    const stored = async () => {
      const { rows } = await pool.query<{ text: string; answers: number }>(
        `select string_agg(k::text, '\n') as text, count(k.answer)::integer as answers
           from chronoflag.command_key k
          where k.command_id in ('named', 'with-name', 'erase')`,
      );
      return rows[0] ?? { text: '', answers: 0 };
    };
    const hashOf = (path: string, body: object): string =>
      createHash('sha256')
        .update(canonicalJson(['POST', `/api/v1${path}`, {}, body as never]))
        .digest('hex');
    t.equal((await stored()).answers, 1);

    const erase = { value };
    const answers = await Promise.all(
      [service, other].map((process) =>
        process.post('/personal-data/erase', keyed('erase', erase)),
      ),
    );
    t.match(answers, [{ status: 200, body: { result: 'erased' } }, { status: 200 }]);
    t.equal(answers[0]?.text, answers[1]?.text);
    t.equal(
      (await other.post('/personal-data/erase', keyed('erase', erase))).text,
      answers[0]?.text,
    );
    const another = { value: 'otto.mustermann@example.com' };
    t.match(await other.post('/personal-data/erase', keyed('erase', another)), REUSED);

    const { text, answers: left } = await stored();
    t.equal(left, 1, 'the answer that showed the value is gone');
    t.notMatch(text, value);
    for (const [path, body] of [
      ['/projects/demo/segments', segment],
      ['/projects/demo/import', file],
      ['/personal-data/erase', erase],
    ] as const)
      t.notMatch(text, hashOf(path, body), path);
    const again = await other.post('/projects/demo/import', keyed('with-name', file));
    t.equal(again.status, 200, 'found in the log');
    t.equal(again.headers['idempotency-replayed'], undefined);
  });
});

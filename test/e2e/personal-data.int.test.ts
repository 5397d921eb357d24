import { test } from 'tap';
import { type Erased, type PersonalExport } from '../../src/identity/ports.js';
import { type Checkpoint } from '../../src/domain/audit/checkpoint.js';
import { type EventProof } from '../../src/queries/trail/prove-event.js';
import { type FullVerification } from '../../src/queries/trail/verify-trail.js';
import { keepSecret } from '../support/canary.js';
import { type HttpClient } from '../support/http-client.js';
import { addMember, registerOrganization } from '../support/organizations.js';
import { runRebuild } from '../support/programs.js';
import { testService } from '../support/service.js';
import { holders } from '../support/stores.js';
import { until } from '../support/until.js';

const ANN = 'ann.zebra@example.com';
const BOB = 'bob-quagga-0815';

type Command = { position: number; revision: number };
type Erasures = { items: readonly { subjectId: string; isDone: boolean }[] };

test('personal data', async (t) => {
  keepSecret(ANN);
  const service = await testService(t);
  const another = await service.startAnother();
  const FLAG = '/projects/demo/flags/hidden';
  const PLACE = `${FLAG}/environments/production`;

  const evaluated = async (targetingKey: string, on: HttpClient = service): Promise<unknown> => {
    const { body } = await on.post<{ variant?: string }>(
      '/projects/demo/environments/production/evaluate/hidden',
      { body: { context: { targetingKey } }, credential: service.serverKey },
    );
    return body.variant;
  };

  await service.post('/projects/demo/flags', { body: { key: 'hidden', type: 'boolean' } });
  await service.post(`${PLACE}/enable`);
  await service.put(`${PLACE}/fallthrough`, { body: { variant: 'off' } });
  const members = { included: [ANN, BOB], excluded: ['carl'] };
  await service.post('/projects/demo/segments', { body: { key: 'club', ...members } });
  const clause = { attribute: 'email', operator: 'in', values: [ANN, 'dora@example.com'] };
  const rule = { id: 'mail', clauses: [clause], serve: { variant: 'on' } };
  await service.post(`${PLACE}/rules`, { body: rule });
  const targets = { targets: [{ variant: 'on', keys: [ANN, BOB] }] };
  const targeted = await service.put<Command>(`${PLACE}/targets`, { body: targets });
  await service.post(`${PLACE}/targets/remove`, { body: { keys: ['nobody'] } });
  const { position } = targeted.body;
  const atPosition = { headers: { 'x-min-position': String(position) } };
  await service.get(FLAG, atPosition);
  const { body: before } = await service.post<Checkpoint>('/audit/checkpoints');
  await until('both processes target ann', async () => {
    const all = await Promise.all([evaluated(ANN), evaluated(ANN, another)]);
    return all.every((variant) => variant === 'on');
  });

  await t.test(
    'admins see the values, and neither the log nor the read model has them',
    async (t) => {
      t.match((await service.get(FLAG)).text, ANN);
      t.match((await service.get(`${FLAG}?source=log`)).text, ANN);
      t.match((await another.get('/projects/demo/segments/club')).text, ANN);
      t.match((await service.get('/audit/export')).text, BOB);
      const held = await holders(service, ANN);
      t.strictSame(
        held.filter((name) => !/rulesets\.jsonl/.test(name)),
        ['redis'],
        'only what evaluates has them in clear',
      );
    },
  );

  await t.test('sealed text is refused from outside', async (t) => {
    const keys = [`pd1:${'A'.repeat(60)}`];
    const refused = await service.post(`${PLACE}/targets/add`, { body: { variant: 'on', keys } });
    t.match(refused, { status: 400, body: { type: 'urn:chronoflag:problem:invalid-json' } });
  });

  await t.test(
    'everything known about one person is exported, and nothing of others',
    async (t) => {
      const { body, text } = await service.post<PersonalExport>('/personal-data/export', {
        body: { value: 'Ann.Zebra@Example.com' },
      });
      t.match(body, {
        flags: [
          {
            project: 'demo',
            key: 'hidden',
            places: [
              { where: 'target', environment: 'production', variant: 'on' },
              { where: 'rule', ruleId: 'mail' },
            ],
          },
        ],
        segments: [{ key: 'club', places: [{ where: 'included' }] }],
        member: null,
        isComplete: true,
      });
      t.strictSame(
        body.events.map(({ type }) => type),
        ['SegmentCreated', 'FlagRulesChanged', 'FlagTargetsAdded'],
      );
      t.notMatch(text, BOB);
      const unknown = await service.post('/personal-data/export', {
        body: { value: 'never seen' },
      });
      t.match(unknown, { status: 200, body: { flags: [], segments: [], events: [] } });
    },
  );

  await t.test('a dry run erases nothing', async (t) => {
    const { body } = await service.post<Erased>('/personal-data/erase?dryRun=true', {
      body: { value: ANN },
    });
    t.match(body, { result: 'dry-run', flags: [{ key: 'hidden' }], events: 3 });
    t.equal(body.subjectIds.length, 1);
    t.match((await service.get(FLAG)).text, ANN);
  });

  const erased = await service.post<Erased>('/personal-data/erase?reason=asked', {
    body: { value: ANN },
  });
  const name = `erased:${erased.body.subjectIds[0] ?? ''}`;
  await until('the erasure is done', async () => {
    const { body } = await service.get<Erasures>('/personal-data/erasures');
    return body.items[0]?.isDone === true;
  });

  await t.test('the person is gone from every answer of every process, others stay', async (t) => {
    t.match(erased, { status: 200, body: { result: 'erased', events: 3 } });
    for (const process of [service, another])
      for (const path of [
        FLAG,
        `${FLAG}?source=log`,
        '/projects/demo/segments/club',
        '/audit/export',
      ]) {
        await until(
          `${path} is without`,
          async () => !(await process.get(path)).text.includes(ANN),
        );
        const { text } = await process.get(path);
        t.match(text, name, path);
        t.match(text, BOB, path);
      }
    for (const process of [service, another]) {
      await until('ann is not targeted', async () => (await evaluated(ANN, process)) === 'off');
      t.equal(await evaluated(BOB, process), 'on');
    }
    const past = await service.get(`${FLAG}?position=${position}`);
    t.match(past.text, name, 'also from the past');
  });

  await t.test(
    'a minute long nobody can bring the person back, by mistake or on purpose',
    async (t) => {
      const body = { variant: 'on', keys: [ANN] };
      const refused = await service.post(`${PLACE}/targets/add`, { body });
      t.match(refused, {
        status: 409,
        body: { type: 'urn:chronoflag:problem:personal-data-erased' },
      });
      const late = await another.post(`${PLACE}/targets/add`, {
        body: { variant: 'on', keys: [ANN] },
      });
      t.equal(late.status, 409);
    },
  );

  await t.test('what was read with an erased name in it can be sent again', async (t) => {
    const keys = [name, BOB, 'emil'];
    const body = { targets: [{ variant: 'on', keys }] };
    const sent = await service.put<Command>(`${PLACE}/targets`, { body });
    t.equal(sent.status, 200);
    const headers = { 'x-min-position': String(sent.body.position) };
    const { text } = await service.get(`${FLAG}?source=log`, { headers });
    t.match(text, 'emil');
  });

  await t.test('no store has the value any more, and no copy on disk', async (t) => {
    await until('the copies on disk are new', async () => {
      const held = await holders(service, ANN);
      return held.length === 0;
    });
    t.strictSame(await holders(service, ANN), []);
    t.strictSame(await holders(service, ANN.toUpperCase()), []);
  });

  await t.test('history is still what was signed, and every proof still holds', async (t) => {
    const { body } = await service.post<FullVerification>('/audit/verify', { body: before });
    t.match(body, {
      integrity: { verdict: 'holds' },
      completeness: { verdict: 'holds' },
      checkpoint: { reproduction: 'reproduced' },
      stores: { readModel: { differences: [] }, redis: [] },
    });
    const proof = await service.get<EventProof>(`/audit/events/${position}/proof`);
    t.equal(proof.status, 200);
    t.notMatch(proof.text, ANN);
  });

  await t.test('a rebuild gives the same read model', async (t) => {
    t.match(await runRebuild(service.environment), /^0\n[^]*The rebuilt read model is equal\./);
    t.match((await service.get(FLAG)).text, name);
  });

  await t.test('the erasure is in the audit log, and does not say of whom', async (t) => {
    const { body, text } = await service.get<{ items: unknown[] }>('/audit?type=SubjectErased');
    t.match(body.items, [
      { category: 'subject', reason: 'asked', data: { subjectId: name.slice(7) } },
    ]);
    t.equal(body.items.length, 1);
    t.notMatch(text, ANN);
    const again = await service.post('/personal-data/erase', { body: { value: ANN } });
    t.match(again, { status: 200, body: { result: 'unchanged' } });
  });

  await t.test(
    'a member is removed first; then account, address and agent go as well',
    async (t) => {
      const email = 'eve.zorilla@example.com';
      const agent = 'zorilla-browser/1.0';
      const misspelt = 'zorilla-phone/1.0';
      keepSecret(email, agent, misspelt);
      const owner = await registerOrganization(service, 'Privacy');
      const { credential } = owner;
      const eve = await addMember(service, credential, { role: 'admin', email });
      const made = await service.post<Command>('/projects', {
        body: { key: 'eves', environments: [{ key: 'live' }] },
        credential: eve.credential,
        headers: { 'user-agent': agent },
      });
      t.equal(made.status, 201);
      const headers = { 'x-min-position': String(made.body.position) };
      t.match((await service.get('/audit', { credential, headers })).text, agent);
      const { organizationId: organization } = owner;
      await service.post('/auth/login', {
        body: { organization, email, password: 'not the password at all' },
        credential: null,
        headers: { 'user-agent': misspelt },
      });
      await until('the refused login is told', async () =>
        (await service.get('/audit', { credential })).text.includes(misspelt),
      );
      const erase = () =>
        service.post<Erased>('/personal-data/erase', { body: { value: email }, credential });
      t.match(await erase(), {
        status: 409,
        body: { type: 'urn:chronoflag:problem:still-member' },
      });
      const known = await service.post<PersonalExport>('/personal-data/export', {
        body: { value: email },
        credential,
      });
      t.match(known.body, {
        member: { userId: eve.userId, email, role: 'admin' },
        sessions: [{ method: 'password' }],
      });
      t.ok(
        known.body.events.some(({ isOwnAction, userAgent }) => isOwnAction && userAgent === agent),
      );
      t.ok(known.body.events.some(({ type }) => type === 'LoginRefused'));

      await service.send('DELETE', `/api/v1/members/${eve.userId}`, { credential });
      const gone = await erase();
      t.match(gone, { status: 200, body: { result: 'erased' } });
      t.equal(gone.body.subjectIds.length, 2, 'the address, and the user');
      await until(
        'nothing is left of eve',
        async () => (await holders(service, email)).length === 0,
      );
      t.strictSame(await holders(service, agent), []);
      t.strictSame(await holders(service, misspelt), []);
      const { text } = await service.get('/audit', { credential });
      t.match(text, 'erased:');
      t.notMatch(text, agent);
      t.notMatch(text, misspelt);
      t.match(text, eve.userId, 'what was done stays');
      t.match((await service.get(FLAG)).text, BOB, 'other organizations have lost nothing');
    },
  );
});

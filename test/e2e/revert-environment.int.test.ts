import { test } from 'tap';
import { testService } from '../support/service.js';

type Answer = Readonly<{ position: number }>;
type Report = Readonly<{
  dryRun: boolean;
  summary: Readonly<Record<string, number>>;
  flags: readonly Readonly<{ flag: string; result: string; code?: string; position?: number }>[];
}>;

const DEMO = '/projects/demo';
const REVERT = `${DEMO}/environments/production/revert`;

test('a whole environment goes back to a moment', async (t) => {
  const service = await testService(t);
  const create = (key: string) =>
    service.post<Answer>(`${DEMO}/flags`, { body: { key, type: 'boolean' } });
  const enable = (key: string, environment: string) =>
    service.post<Answer>(`${DEMO}/flags/${key}/environments/${environment}/enable`);
  const seen = async (position: number, key: string) => {
    const headers = { 'x-min-position': String(position) };
    const { body } = await service.get<{
      environments: Record<string, { enabled: boolean } | undefined>;
    }>(`${DEMO}/flags/${key}`, { headers });
    return body.environments;
  };

  await create('one');
  await create('two');
  const { body: then } = await enable('one', 'production');
  await enable('two', 'production');
  await enable('two', 'staging');
  const { body: last } = await create('late');
  await seen(last.position, 'late');
  const moment = { position: then.position };

  await t.test('a dry run reports and writes nothing', async (t) => {
    const { body } = await service.post<Report>(`${REVERT}?dryRun=true`, { body: moment });
    t.match(body, { dryRun: true, summary: { changed: 2, unchanged: 1, refused: 0 } });
    t.match((await seen(last.position, 'two'))['production'], { enabled: true });
  });

  await t.test('flags are what they were, there and only there; later ones stay', async (t) => {
    const { body } = await service.post<Report>(REVERT, { body: moment });
    t.strictSame(
      body.flags.map(({ flag, result, code }) => [flag, result, code]),
      [
        ['late', 'changed', undefined],
        ['one', 'unchanged', undefined],
        ['two', 'changed', undefined],
      ],
    );
    const position = Math.max(...body.flags.map((flag) => flag.position ?? -1));
    const environments = await seen(position, 'two');
    t.match(environments['production'], { enabled: false });
    t.match(environments['staging'], { enabled: true });
  });

  await t.test('an unknown environment and a missing moment are refused', async (t) => {
    const unknown = await service.post(`${DEMO}/environments/nowhere/revert`, { body: moment });
    t.equal(unknown.status, 404);
    const future = await service.post(REVERT, { body: { at: '2999-01-01T00:00:00Z' } });
    t.match(future, { status: 422, body: { type: 'urn:chronoflag:problem:moment-in-future' } });
    const malformed = await service.post(REVERT, { body: { at: '2026-11-26 11:18:55Z' } });
    t.equal(malformed.status, 400);
    const momentless = await service.post(REVERT, { body: {} });
    t.equal(momentless.status, 400);
  });

  await t.test(
    'a copy of a flag that was deleted and restored is that flag as it is',
    async (t) => {
      await create('source');
      await service.send('DELETE', `/api/v1${DEMO}/flags/source`);
      await service.post(`${DEMO}/flags/source/restore`, { body: {} });
      const rollout = `${DEMO}/flags/source/environments/production/rollout`;
      await service.send('PUT', `/api/v1${rollout}`, { body: { percentage: 25 } });
      const copy = await service.post<Answer>(`${DEMO}/flags/source/copy`, {
        body: { key: 'twin' },
      });
      t.equal(copy.status, 201);
      const environments = await seen(copy.body.position, 'twin');
      t.match(environments['production'], { enabled: true });
    },
  );

  await t.test('a diff over the deletion of an environment says that its flags went', async (t) => {
    const { body } = await service.send<Answer>('DELETE', `/api/v1${DEMO}/environments/staging`);
    const from = `${DEMO}/environments/staging/diff?from=position:${last.position}`;
    const headers = { 'x-min-position': String(body.position) };
    const diff = await service.get<{ flags: readonly { key: string }[] }>(from, { headers });
    t.ok(
      diff.body.flags.some(({ key }) => key === 'two'),
      diff.text,
    );
  });
});

import { readFileSync } from 'node:fs';
import { test } from 'tap';
import { testService } from '../support/service.js';

type Report = Readonly<{
  summary: Readonly<Record<string, number>>;
  flags: readonly Readonly<{ flag: string; result: string; position?: number }>[];
}>;
type Listed = Readonly<{ items: readonly unknown[] }>;

const IMPORT = '/projects/demo/import';
const flagd = (flags: Readonly<Record<string, unknown>>) => ({ flags });

const FILE = JSON.parse(
  readFileSync(new URL('../../examples/otel-demo.flagd.json', import.meta.url), 'utf8'),
) as unknown;

const toggle = (defaultVariant: string) => ({
  state: 'ENABLED',
  variants: { on: true, off: false },
  defaultVariant,
});

test('import of a flagd file', async (t) => {
  const service = await testService(t);
  const stored = async (position = 0): Promise<number> => {
    const headers = { 'x-min-position': String(position) };
    const { body } = await service.get<Listed>('/projects/demo/flags?limit=200', { headers });
    return body.items.length;
  };
  const last = ({ flags }: Report): number =>
    Math.max(...flags.map(({ position = -1 }) => position));

  await t.test('a dry run reports and writes nothing', async (t) => {
    const { body } = await service.post<Report>(`${IMPORT}?dryRun=true`, { body: FILE });
    t.match(body, { dryRun: true, summary: { created: 16, refused: 0 } });
    t.match(body.flags[0], { result: 'created', events: [{ type: 'FlagCreated' }] });
    t.equal(await stored(), 0);
  });

  await t.test('the first time creates, the second changes nothing', async (t) => {
    const first = await service.post<Report>(IMPORT, { body: FILE });
    t.match(first.body.summary, { created: 16, changed: 0, unchanged: 0, refused: 0 });
    t.equal(await stored(last(first.body)), 16);
    const second = await service.post<Report>(IMPORT, { body: FILE });
    t.match(second.body.summary, { created: 0, changed: 0, unchanged: 16, refused: 0 });
    t.equal(last(second.body), last(first.body));
  });

  await t.test('a flag that differs is changed, in the environments that are named', async (t) => {
    await service.post(IMPORT, { body: flagd({ one: toggle('off') }) });
    const path = `${IMPORT}?environment=staging&reason=only%20staging`;
    const { body } = await service.post<Report>(path, { body: flagd({ one: toggle('on') }) });
    t.match(body, { summary: { changed: 1 }, environments: ['staging'] });
    const headers = { 'x-min-position': String(last(body)) };
    const { body: flag } = await service.get('/projects/demo/flags/one', { headers });
    t.match(flag, {
      environments: {
        staging: { fallthrough: { variant: 'on' } },
        production: { fallthrough: { variant: 'off' } },
      },
    });
  });

  await t.test('a repeat with its Idempotency-Key writes nothing twice', async (t) => {
    const headers = { 'idempotency-key': 'import-1' };
    const request = { body: flagd({ two: toggle('off') }), headers };
    const first = await service.post<Report>(IMPORT, request);
    const second = await service.post<Report>(IMPORT, request);
    t.strictSame(second.body, first.body);
    const other = { body: flagd({ two: toggle('on') }), headers };
    const reused = await service.post<Report>(IMPORT, other);
    t.match(reused.body.flags, [{ result: 'refused', code: 'idempotency-key-reused' }]);
  });

  await t.test('what it cannot take is refused flag by flag, and says where', async (t) => {
    const { body } = await service.post<Report>(IMPORT, {
      body: flagd({
        'no key': toggle('on'),
        mixed: { ...toggle('on'), variants: { on: true, off: 'no' } },
        toString: { ...toggle('hasOwnProperty'), variants: { constructor: true } },
        fine: toggle('on'),
      }),
    });
    t.match(body.summary, { created: 1, refused: 3 });
    for (const { flag, result, ...why } of body.flags)
      if (result === 'refused') t.match(why, { code: /./, detail: /./ }, flag);
  });

  await t.test(
    'a file that is none, a project and an environment that are not there',
    async (t) => {
      const problem = (status: number, code: string) => ({
        status,
        body: { type: `urn:chronoflag:problem:${code}` },
      });
      t.match(await service.post(IMPORT, { body: {} }), problem(422, 'invalid-flagd-file'));
      t.match(
        await service.post(IMPORT, { body: { flags: [] } }),
        problem(422, 'invalid-flagd-file'),
      );
      t.match(await service.post(IMPORT, { body: [] }), problem(400, 'invalid-request'));
      t.match(await service.post(IMPORT), problem(400, 'invalid-request'));
      t.match(
        await service.post('/projects/nowhere/import', { body: FILE }),
        problem(404, 'project-not-found'),
      );
      const elsewhere = await service.post<Report>(`${IMPORT}?environment=nowhere`, { body: FILE });
      t.match(elsewhere.body.flags[0], { result: 'refused', code: 'environment-not-found' });
      t.match(
        await service.post(IMPORT, { body: FILE, headers: { 'idempotency-key': 'a b' } }),
        problem(400, 'invalid-request'),
      );
      t.match(
        await service.post(IMPORT, { body: FILE, credential: null }),
        problem(401, 'unauthorized'),
      );
    },
  );
});

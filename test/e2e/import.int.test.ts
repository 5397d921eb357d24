import { readFileSync } from 'node:fs';
import { test } from 'tap';
import { testService } from '../support/service.js';

type Report = Readonly<{
  summary: Readonly<Record<string, number>>;
  flags: readonly Readonly<{ flag: string; result: string; position?: number }>[];
}>;
type SegmentResult = Readonly<{ segment: string; result: string; position?: number }>;
type WithSegments = Report & Readonly<{ segments: readonly SegmentResult[] }>;
type Listed = Readonly<{ items: readonly unknown[] }>;

const IMPORT = '/projects/demo/import';
const flagd = (flags: Readonly<Record<string, unknown>>) => ({ flags });

const FILE = JSON.parse(
  readFileSync(new URL('../../examples/shop.flagd.json', import.meta.url), 'utf8'),
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
    t.strictSame(
      first.body.flags.filter(({ result }) => result === 'refused'),
      [],
    );
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

  await t.test('what others changed too is a conflict, unless it says whose counts', async (t) => {
    const path = '/projects/demo/flags/one/environments/production/fallthrough';
    await service.put(path, { body: { variant: null } });
    const file = flagd({ one: toggle('on') });
    t.match(await service.post(IMPORT, { body: file }), {
      status: 409,
      body: {
        type: 'urn:chronoflag:problem:conflicting-changes',
        conflicts: [
          {
            flag: 'one',
            field: '/environments/production/fallthrough',
            theirs: { variant: null },
            mine: { variant: 'on' },
            changedBy: { type: 'apiKey' },
          },
        ],
      },
    });
    const dry = await service.post<Report>(`${IMPORT}?dryRun=true`, { body: file });
    t.match(dry, { status: 200, body: { summary: { refused: 1 }, flags: [{ conflicts: [{}] }] } });
    const skipped = await service.post<Report>(`${IMPORT}?onConflict=skip`, { body: file });
    t.match(skipped.body, { summary: { skipped: 1 }, flags: [{ result: 'skipped' }] });
    const mine = await service.post<Report>(`${IMPORT}?onConflict=mine`, { body: file });
    t.match(mine.body, { summary: { changed: 1 } });
    t.match(await service.post(`${IMPORT}?onConflict=ours`, { body: file }), { status: 400 });
  });

  await t.test('a whole environment is promoted, first to see what that changes', async (t) => {
    const path = '/projects/demo/environments/staging/promote';
    const staging = '/projects/demo/flags/one/environments/staging/fallthrough';
    await service.put(staging, { body: { variant: null } });
    const dry = await service.post<Report>(`${path}?dryRun=true`, { body: { to: 'production' } });
    t.match(dry, { status: 200, body: { dryRun: true, summary: { skipped: 0 } } });
    const conflict = await service.post(path, { body: { to: 'production' } });
    t.match(conflict, { status: 409, body: { conflicts: [{ flag: 'one' }] } });
    const body = { to: 'production', flags: ['one'] };
    const done = await service.post<Report>(`${path}?onConflict=mine`, { body });
    t.match(done, { status: 200, body: { flags: [{ flag: 'one', result: 'changed' }] } });
    const one = '/projects/demo/flags/one/environments/staging/promote';
    t.match(await service.post(one, { body: { to: 'production' } }), {
      status: 200,
      body: { result: 'unchanged' },
    });
    t.match(await service.post(path, { body: { to: 'nowhere' } }), { status: 404 });
  });

  await t.test('a repeat with its Idempotency-Key writes nothing twice', async (t) => {
    const headers = { 'idempotency-key': 'import-1' };
    const request = { body: flagd({ two: toggle('off') }), headers };
    const first = await service.post<Report>(IMPORT, request);
    const second = await service.post<Report>(IMPORT, request);
    t.strictSame(second.body, first.body);
    const other = { body: flagd({ two: toggle('on') }), headers };
    const reused = await service.post<Report>(IMPORT, other);
    t.match(reused, {
      status: 422,
      body: { type: 'urn:chronoflag:problem:idempotency-key-reused' },
    });
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
      t.match(
        await service.post(`${IMPORT}?environment=nowhere`, { body: FILE }),
        problem(404, 'environment-not-found'),
      );
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

const isPro = { '==': [{ var: 'plan' }, 'pro'] };
const asked = (condition: unknown) => ({ ...toggle('off'), targeting: { if: [condition, 'on'] } });

const SHARED = {
  $evaluators: {
    'not pro': { '!': { $ref: 'pro' } },
    pro: isPro,
    part: { in: ['@example.com', { var: 'email' }] },
  },
  metadata: { flagSetId: 'web', version: 3 },
  flags: {
    one: asked({ $ref: 'pro' }),
    two: asked({ $ref: 'not pro' }),
    three: asked({ $ref: 'part' }),
  },
};

test('shared conditions of a flagd file', async (t) => {
  const service = await testService(t);
  const send = async (body: unknown, query = '', headers = {}): Promise<WithSegments> =>
    (await service.post<WithSegments>(`${IMPORT}${query}`, { body, headers })).body;
  const results = ({ segments }: WithSegments) =>
    segments.map(({ segment, result }) => [segment, result]);
  const last = ({ flags, segments }: WithSegments): Record<string, string> => ({
    'x-min-position': String(
      Math.max(...[...flags, ...segments].map(({ position = -1 }) => position)),
    ),
  });
  const answers = async (after: WithSegments, plan?: string) => {
    const path = '/projects/demo/environments/production/evaluate';
    const context = { targetingKey: 'anna', ...(plan === undefined ? {} : { plan }) };
    const { body } = await service.post<{ flags: Record<string, { value: unknown }> }>(path, {
      body: { context },
      headers: last(after),
    });
    return Object.fromEntries(Object.entries(body.flags).map(([key, { value }]) => [key, value]));
  };

  await t.test('a dry run says what segments there would be', async (t) => {
    const report = await send(SHARED, '?dryRun=true');
    t.match(report, {
      dryRun: true,
      summary: { created: 3, refused: 0 },
      metadata: SHARED.metadata,
    });
    t.strictSame(results(report), [
      ['pro', 'created'],
      ['not-pro', 'created'],
    ]);
    t.equal((await service.get('/projects/demo/segments/pro')).status, 404);
  });

  await t.test('they become segments before the flags, once', async (t) => {
    const headers = { 'idempotency-key': 'shared-1' };
    const report = await send(SHARED, '', headers);
    t.match(report, { summary: { created: 3, refused: 0 } });
    t.strictSame(results(report), [
      ['pro', 'created'],
      ['not-pro', 'created'],
    ]);
    t.strictSame(await answers(report, 'pro'), { one: true, two: false, three: false });
    t.strictSame(await answers(report, 'free'), { one: false, two: true, three: false });
    t.strictSame(await answers(report), { one: false, two: true, three: false });
    t.strictSame(await send(SHARED, '', headers), report, 'repeated');
    const again = await send(SHARED);
    t.match(again.summary, { unchanged: 3, changed: 0 });
    t.strictSame(results(again), [
      ['pro', 'unchanged'],
      ['not-pro', 'unchanged'],
    ]);
  });

  await t.test('what one environment is given does not change the others', async (t) => {
    const team = { ...SHARED.$evaluators, pro: { '==': [{ var: 'plan' }, 'team'] } };
    const changed = { ...SHARED, $evaluators: team };
    const refused = await send(changed, '?environment=staging');
    t.match(refused.segments[0], {
      segment: 'pro',
      result: 'refused',
      code: 'cannot-import',
      detail: /^\/\$evaluators\/pro: .*production/,
    });
    t.match(refused.summary, { changed: 2, unchanged: 1, refused: 0 });
    t.strictSame(await answers(refused, 'team'), { one: false, two: true, three: false });
    const everywhere = await send(changed);
    t.strictSame(results(everywhere)[0], ['pro', 'changed']);
    t.strictSame(await answers(everywhere, 'team'), { one: true, two: false, three: false });
  });

  await t.test('a segment that no import made stays, and the condition is put in', async (t) => {
    await service.post('/projects/demo/segments', { body: { key: 'mine', included: ['anna'] } });
    const file = {
      $evaluators: { mine: isPro, around: { or: [{ $ref: 'mine' }, { '==': [{ var: 'a' }, 1] }] } },
      flags: { four: asked({ $ref: 'mine' }), five: asked({ $ref: 'around' }) },
    };
    const report = await send(file);
    t.match(report.segments, [
      { segment: 'mine', evaluator: 'mine', result: 'refused', code: 'segment-exists' },
      { segment: 'around', result: 'created', events: [{ data: { included: [] } }] },
    ]);
    t.match(await answers(report), { four: false, five: false });
    t.match(await answers(report, 'pro'), { four: true, five: true });
    t.match((await send(file)).summary, { unchanged: 2 });
  });

  await t.test('targeting=exact makes none', async (t) => {
    const report = await send(SHARED, '?targeting=exact');
    t.strictSame(report.segments, []);
    t.match(report.summary, { changed: 2, unchanged: 1 });
    t.strictSame(await answers(report, 'pro'), {
      one: true,
      two: false,
      three: false,
      four: true,
      five: true,
    });
  });
});

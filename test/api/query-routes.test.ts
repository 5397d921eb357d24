import { test } from 'tap';
import { CATEGORIES } from '../../src/domain/streams.js';
import { environmentAt, projectState } from '../../src/queries/environments/environment-state.js';
import { queriesOver } from '../../src/queries/queries.js';
import { comparingWith } from '../support/compared-rows.js';
import { queryApp } from '../support/query-app.js';
import { eventLogOf } from '../support/read-model.js';
import { OTHER_ORGANIZATION, shopLog } from '../support/shop-log.js';

const CHECKOUT = '/projects/shop/flags/checkout';
const LAST = shopLog.at(-1)!;
const LAST_AT = Number(LAST.position);

const positionOf = (type: string): number =>
  Number(shopLog.find((event) => event.type === type)!.position);
const timeOf = (type: string): string => shopLog.find((event) => event.type === type)!.recordedAt;

test('every answer is the query it stands for, complete, with the position it stands on', async (t) => {
  const { ask, db } = await queryApp(t);
  const { sources, ...queries } = queriesOver(db, eventLogOf(shopLog), {
    compareStreams: comparingWith(db, shopLog),
  });
  const project = { organizationId: 'acme', project: 'shop' };
  const flag = { ...project, flag: 'checkout' };
  const production = { ...project, environment: 'production' };
  const now = { position: LAST_AT };
  const then = { position: positionOf('FlagRolloutChanged') };
  const scope = { organizationId: 'acme', seesPeople: true };
  const history = await queries.flagHistory(flag);
  const expected: Readonly<Record<string, unknown>> = {
    '/projects': await queries.listProjects(project),
    '/projects/shop': await sources.log.project(project, now),
    '/projects/shop/state': await projectState(sources.log)(project, now),
    '/projects/shop/verify': await queries.verifyProject(project, now),
    '/projects/shop/flags': await queries.listFlags({ ...project, moment: now, isPast: false }),
    [`${CHECKOUT}/history`]: { ...history, items: await queries.nameActors(history.items, scope) },
    [`${CHECKOUT}/diff?from=position:${then.position}`]: await queries.flagDiff(flag, then, now),
    '/projects/shop/environments/production/flags': await environmentAt(sources.log)(
      production,
      now,
    ),
    [`/projects/shop/environments/production/diff?from=position:${then.position}`]:
      await queries.environmentDiff(production, then, now),
    '/audit': await queries.auditLog({ ...scope, filter: {}, upTo: now }),
    [CHECKOUT]: {
      ...(await sources.log.flag(flag, now)),
      project: 'shop',
      deletion: null,
    },
  };
  for (const [path, answer] of Object.entries(expected)) {
    const { statusCode, headers, json } = await ask(path);
    t.equal(statusCode, 200, path);
    t.equal(headers['x-position'], String(LAST_AT), path);
    t.same(json(), { ...(answer as object), position: LAST_AT }, path);
  }
});

test('a flag is answered for every kind of moment, from both sources, with its revision as ETag', async (t) => {
  const { ask } = await queryApp(t);
  const at = timeOf('FlagRolloutChanged');
  const position = positionOf('FlagRolloutChanged');
  for (const source of ['read-model', 'log']) {
    for (const moment of [
      `at=${at}`,
      `position=${position}`,
      `position=${position + 5}`,
      'revision=2',
    ]) {
      const { headers, json } = await ask(`${CHECKOUT}?${moment}&source=${source}`);
      t.equal(headers.etag, '"2"', moment);
      const flag = json<Record<string, unknown>>();
      t.match(flag, {
        revision: 2,
        updatedAt: at,
        lastChange: {
          type: 'FlagRolloutChanged',
          reason: '=HYPERLINK("http://x")',
          ip: '192.0.2.7',
        },
        heldUntil: { position: positionOf('FlagTargetsChanged') },
      });
    }
  }
});

test('a deleted flag tells who deleted it, when, and how to get it back', async (t) => {
  const { ask } = await queryApp(t);
  for (const query of ['', `?at=${timeOf('FlagDeleted')}`, '?revision=1']) {
    const { statusCode, json } = await ask(`/projects/shop/flags/old${query}`);
    t.equal(statusCode, 200);
    t.match(json(), {
      status: 'deleted',
      statusBefore: 'active',
      deletion: {
        at: timeOf('FlagDeleted'),
        by: { id: 'user-2' },
        howToRestore: 'POST /api/v1/projects/shop/flags/old/restore',
      },
    });
  }
  const state = await ask('/projects/shop/state');
  const { flags } = state.json<{
    flags: readonly { key: string; statusBefore: string | null }[];
  }>();
  t.strictSame(
    flags.map(({ key, statusBefore }) => [key, statusBefore]),
    [
      ['banner', null],
      ['checkout', null],
      ['old', 'active'],
      ['quiet', null],
    ],
  );
});

test('one flag in one environment', async (t) => {
  const { ask } = await queryApp(t);
  const { json, headers } = await ask(`${CHECKOUT}/environments/production?revision=1`);
  t.match(json(), {
    environment: 'production',
    flag: { revision: 1, hasOwnConfiguration: true, configuration: { enabled: true } },
  });
  t.equal(headers.etag, '"1"');
});

test('environments are listed with deleted ones on request', async (t) => {
  const { ask } = await queryApp(t);
  const keys = async (query: string) =>
    (await ask(`/projects/shop/environments${query}`))
      .json<{ items: { key: string }[] }>()
      .items.map(({ key }) => key);
  t.strictSame(await keys(''), ['production']);
  t.strictSame(await keys('?status=deleted'), ['development']);
  t.strictSame(await keys('?status=all'), ['development', 'production']);
  t.strictSame(await keys('?position=110'), ['development']);
  const { json } = await ask('/projects/shop/environments/development');
  t.match(json(), { key: 'development', status: 'deleted' });
});

test('projects are listed with deleted ones on request', async (t) => {
  const { ask } = await queryApp(t);
  const keys = async (query: string) =>
    (await ask(`/projects${query}`))
      .json<{ items: { key: string }[] }>()
      .items.map(({ key }) => key);
  t.strictSame(await keys(''), ['shop']);
  t.strictSame(await keys('?status=all'), ['gone', 'shop']);
  t.match((await ask('/projects/gone')).json(), { status: 'deleted' });
  t.match((await ask('/projects/shop?revision=0')).json(), { environments: [], revision: 0 });
});

test('every wrong question has its own clear answer', async (t) => {
  const { refusal } = await queryApp(t);
  const cases: Readonly<Record<string, string>> = {
    '/projects/none': '404 project-not-found',
    '/projects/none/flags': '404 project-not-found',
    '/projects/none/flags/x': '404 project-not-found',
    '/projects/none/flags/x?source=log': '404 project-not-found',
    '/projects/none/verify': '404 project-not-found',
    '/projects/gone?position=120': '404 project-not-yet-created',
    '/projects/gone?position=120&source=log': '404 project-not-yet-created',
    '/projects/shop/flags/none': '404 flag-not-found',
    '/projects/shop/flags/none/history': '404 flag-not-found',
    '/projects/shop/flags/none/diff?from=now': '404 flag-not-found',
    '/projects/shop/flags/none?source=log': '404 flag-not-found',
    '/projects/shop/flags/none?revision=0': '404 flag-not-found',
    [`${CHECKOUT}?position=120`]: '404 flag-not-yet-created',
    [`${CHECKOUT}?position=120&source=log`]: '404 flag-not-yet-created',
    [`${CHECKOUT}?at=2026-01-01T00:00:02.999Z`]: '404 flag-not-yet-created',
    [`${CHECKOUT}/diff?from=position:110&to=position:120`]: '404 flag-not-yet-created',
    [`${CHECKOUT}?at=2025-12-31T00:00:00Z`]: '404 flag-not-yet-created',
    [`${CHECKOUT}?at=9999-01-01T00:00:00Z`]: '422 moment-in-future',
    [`${CHECKOUT}?position=${LAST_AT + 1}`]: '422 moment-in-future',
    [`${CHECKOUT}?revision=99`]: '404 revision-not-found',
    [`${CHECKOUT}/diff?from=revision:99`]: '404 revision-not-found',
    [`${CHECKOUT}?at=2026-02-30T00:00:00Z`]: '400 malformed-time',
    [`${CHECKOUT}?at=2026-01-01`]: '400 malformed-time',
    [`${CHECKOUT}?at=2026-01-01T00:00:00+01:00`]: '400 malformed-time',
    [`${CHECKOUT}?at=`]: '400 malformed-time',
    [`${CHECKOUT}?at=%00`]: '400 invalid-request',
    [`${CHECKOUT}/diff?from=yesterday`]: '400 malformed-time',
    [`${CHECKOUT}/history?from=yesterday`]: '400 malformed-time',
    '/audit?from=yesterday': '400 malformed-time',
    '/audit/export?to=tomorrow': '400 malformed-time',
    [`${CHECKOUT}?position=1&revision=1`]: '400 several-moments',
    [`${CHECKOUT}?position=-1`]: '400 invalid-request',
    [`${CHECKOUT}?position=1.5`]: '400 invalid-request',
    [`${CHECKOUT}?positon=1`]: '400 invalid-request',
    [`${CHECKOUT}?source=guess`]: '400 invalid-request',
    '/projects/shop/flags?q=%00': '400 invalid-request',
    '/projects/shop/flags?limit=0': '400 invalid-request',
    '/projects/shop/flags?cursor=x': '400 invalid-cursor',
    '/audit?cursor=W10': '400 invalid-cursor',
    '/projects/shop/flags?enabledIn=nowhere': '404 environment-not-found',
    '/projects/shop/environments/nowhere': '404 environment-not-found',
    '/projects/shop/environments/nowhere/flags': '404 environment-not-found',
    '/projects/shop/environments/production?position=110': '404 environment-not-found',
    '/projects/shop/environments/nowhere/diff?from=now': '404 environment-not-found',
    '/projects/shop/environments/production/diff?from=revision:1': '400 invalid-request',
    [`${CHECKOUT}/environments/nowhere`]: '404 environment-not-found',
    '/audit/export?format=xml': '400 invalid-request',
  };
  for (const [path, expected] of Object.entries(cases))
    t.equal(await refusal(path), expected, path);
});

test('a "+" that the URL made a blank is explained', async (t) => {
  const { ask } = await queryApp(t);
  const { json } = await ask(`${CHECKOUT}?at=2026-01-01T00:00:00+01:00`);
  t.match(json(), { detail: /%2B/ });
  t.equal((await ask(`${CHECKOUT}?at=2026-01-02T00:00:00%2B01:00`)).statusCode, 200);
});

test('a caller sees its own write, or is told how far behind the answer would be', async (t) => {
  const { ask, refusal, db } = await queryApp(t);
  const header = (position: number) => ({ 'x-min-position': String(position) });
  t.equal((await ask(CHECKOUT, header(LAST_AT))).statusCode, 200);
  t.equal(await refusal(CHECKOUT, header(LAST_AT + 7)), '503 position-not-reached');
  const { json } = await ask('/audit', header(LAST_AT + 7));
  t.match(json(), { detail: /it is 7 behind/ });
  t.equal(await refusal(CHECKOUT, { 'x-min-position': 'soon' }), '400 invalid-request');

  const waiting = ask(CHECKOUT, header(LAST_AT + 1));
  await db.query('update checkpoint set position = $1', [LAST_AT + 1]);
  t.equal((await waiting).headers['x-position'], String(LAST_AT + 1));
});

test('what belongs to another organization is not there', async (t) => {
  const { ask, refusal } = await queryApp(t);
  const rival = { authorization: `Bearer ${OTHER_ORGANIZATION}` };
  t.equal(await refusal('/projects/shop/flags/secret'), '404 flag-not-found');
  t.equal(await refusal('/projects/shop/flags/secret?source=log'), '404 flag-not-found');
  t.equal((await ask('/projects/shop/flags/secret', rival)).statusCode, 200);
  t.equal(await refusal('/projects/gone', rival), '404 project-not-found');
  t.equal(await refusal(CHECKOUT, rival), '404 flag-not-found');
  const streams = (await ask('/audit', rival))
    .json<{ items: { stream: string }[] }>()
    .items.map(({ stream }) => stream);
  t.strictSame(streams, ['flag-rival:shop:secret', 'project-rival:shop']);
  t.equal((await ask('/audit/export', rival)).body.trim().split('\n').length, 2);
});

test('the audit log can be asked for every category there is', async (t) => {
  const { ask } = await queryApp(t);
  for (const category of CATEGORIES)
    t.equal((await ask(`/audit?category=${category}`)).statusCode, 200, category);
});

test('a diff of what never was is answered in one way, in both directions', async (t) => {
  const { refusal } = await queryApp(t);
  for (const [path, code] of [
    ['/projects/shop/flags/nothing', '404 flag-not-found'],
    ['/projects/shop/segments/nothing', '404 segment-not-found'],
    ['/projects/nowhere/flags/nothing', '404 project-not-found'],
  ] as const)
    for (const ends of ['from=position:0&to=now', 'from=now&to=position:0'])
      t.equal(await refusal(`${path}/diff?${ends}`), code, `${path} ${ends}`);
});

test('a query whose answer the client has is 304, without a body', async (t) => {
  const { ask } = await queryApp(t);
  for (const path of ['/projects', '/projects/shop/flags', CHECKOUT, '/audit']) {
    const first = await ask(path);
    const tag = String(first.headers['etag']);
    t.match(tag, /^(W\/)?"[^"]+"$/, path);
    const again = await ask(path, { 'if-none-match': `"other", ${tag}` });
    t.strictSame([again.statusCode, again.body], [304, ''], path);
    t.equal(again.headers['etag'], tag, path);
    t.notOk('content-length' in again.headers && again.headers['content-length'] !== '0', path);
    t.equal((await ask(path, { 'if-none-match': '"other"' })).statusCode, 200, path);
  }
  t.equal((await ask('/projects/none', { 'if-none-match': '*' })).statusCode, 404);
});

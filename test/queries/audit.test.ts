import { test } from 'tap';
import { type AuditFilter } from '../../src/queries/audit/audit-filter.js';
import { type AuditEntry, auditLog } from '../../src/queries/audit/audit-log.js';
import { exportAuditLog } from '../../src/queries/audit/export-audit-log.js';
import { testDatabase } from '../support/database.js';
import { flagContent, metadataOf, onFlag, ORGANIZATION, recorded } from '../support/histories.js';
import { queryApp } from '../support/query-app.js';
import { fillReadModel } from '../support/read-model.js';
import { NASTY, OTHER_ORGANIZATION, shopLog } from '../support/shop-log.js';

const LAST = shopLog.at(-1)!;
const upTo = { position: LAST.position };
const ours = shopLog.filter(({ stream }) => !stream.includes(OTHER_ORGANIZATION));

/** RFC 4180, the plainest way: rows of cells. */
const parseCsv = (text: string): readonly (readonly string[])[] => {
  const cells = [...text.matchAll(/(?:"((?:[^"]|"")*)"|([^,"\r\n]*))(,|\r\n)/g)];
  const rows: string[][] = [[]];
  for (const [, quoted, bare = '', end] of cells) {
    rows.at(-1)!.push(quoted?.replaceAll('""', '"') ?? bare);
    if (end === '\r\n') rows.push([]);
  }
  return rows.slice(0, -1);
};

const collected = async (chunks: AsyncIterable<string>): Promise<readonly string[]> => {
  const all: string[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return all;
};

test('each filter lets through exactly the events that it names', async (t) => {
  const { pool: db } = await testDatabase(t);
  await fillReadModel(db, shopLog);
  const positions = async (filter: AuditFilter) => {
    const { items } = await auditLog(db)({
      organizationId: ORGANIZATION,
      seesPeople: true,
      filter,
      upTo,
      order: 'asc',
    });
    return items.map(({ position }) => position);
  };
  const those = (is: (event: (typeof ours)[number]) => boolean) =>
    ours.filter(is).map(({ position }) => position);
  const [third, fifth] = [ours[3]!, ours[5]!];

  t.strictSame(
    await positions({}),
    those(() => true),
  );
  t.strictSame(
    await positions({ project: 'gone' }),
    those(({ stream }) => stream.includes('gone')),
  );
  t.strictSame(
    await positions({ flag: 'old' }),
    those(({ stream }) => stream.endsWith(':old')),
  );
  t.strictSame(
    await positions({ category: 'project' }),
    those(({ stream }) => stream.startsWith('project-')),
  );
  t.strictSame(
    await positions({ category: 'apiKey' }),
    those(({ type }) => type === 'ApiKeyIssued'),
  );
  t.strictSame(
    await positions({ types: ['FlagDeleted', 'FlagArchived'] }),
    those(({ type }) => type === 'FlagDeleted' || type === 'FlagArchived'),
  );
  await t.rejects(positions({ category: 'project', types: ['FlagDeleted'] }), {
    code: 'invalid-request',
  });
  t.strictSame(
    await positions({ actors: ['user-1'] }),
    those(({ metadata }) => metadata.actor.id === 'user-1'),
  );
  t.strictSame(
    await positions({ environment: 'production' }),
    those(({ data }) => 'environment' in data && data.environment === 'production'),
  );
  t.strictSame(await positions({ commandId: third.metadata.commandId }), [third.position]);
  t.strictSame(await positions({ requestId: fifth.metadata.requestId }), [fifth.position]);
  t.strictSame(
    await positions({ from: third.recordedAt, to: fifth.recordedAt }),
    those(({ recordedAt }) => recordedAt >= third.recordedAt && recordedAt < fifth.recordedAt),
  );
  t.strictSame(await positions({ from: '2030-01-01T00:00:00Z' }), []);
  t.strictSame(
    await positions({ to: '2030-01-01T00:00:00Z' }),
    those(() => true),
  );
  t.strictSame(await positions({ project: 'shop', flag: 'checkout', actors: ['nobody'] }), []);
});

test('an entry tells who, when, from where and why', async (t) => {
  const { pool: db } = await testDatabase(t);
  await fillReadModel(db, shopLog);
  const { items } = await auditLog(db)({
    organizationId: ORGANIZATION,
    seesPeople: true,
    filter: { flag: 'old' },
    upTo,
  });
  const deletion = shopLog.find(({ type }) => type === 'FlagDeleted')!;
  const { ip, userAgent, reason, actor, commandId, requestId, correlationId, causationId } =
    deletion.metadata;
  t.strictSame(items[0], {
    eventId: deletion.id,
    type: 'FlagDeleted',
    revision: 1,
    position: deletion.position,
    recordedAt: deletion.recordedAt,
    actor: { ...actor, name: null },
    ip,
    userAgent,
    reason,
    commandId,
    requestId,
    correlationId,
    causationId,
    category: 'flag',
    stream: 'flag-acme:shop:old',
    project: 'shop',
    key: 'old',
    environment: null,
    data: {},
    changes: [{ path: '/status', before: 'active', after: 'deleted', text: 'deleted' }],
  });
});

test('both exports hold the same entries as the pages', async (t) => {
  const { ask, db } = await queryApp(t);
  const { items } = await auditLog(db)({
    organizationId: ORGANIZATION,
    seesPeople: true,
    filter: {},
    upTo,
    order: 'asc',
  });

  const ndjson = await ask('/audit/export');
  t.match(ndjson.headers, {
    'content-type': /^application\/x-ndjson/,
    'content-disposition': /attachment/,
    'x-position': String(LAST.position),
  });
  const lines = ndjson.body.trimEnd().split('\n');
  t.strictSame(
    lines.map((line) => JSON.parse(line) as AuditEntry),
    JSON.parse(JSON.stringify(items)),
  );

  const csv = await ask('/audit/export?format=csv');
  t.match(csv.headers['content-type'], /^text\/csv/);
  const [header = [], ...rows] = parseCsv(csv.body);
  const read = rows.map((row) =>
    Object.fromEntries(header.map((name, index) => [name, row[index]!.replace(/^'/, '')])),
  );
  t.strictSame(
    read.map(({ position, reason, userAgent, data, actorId }) => ({
      position: Number(position),
      reason,
      userAgent,
      data: JSON.parse(data!) as unknown,
      actorId,
    })),
    items.map(({ position, reason, userAgent, data, actor }) => ({
      position,
      reason,
      userAgent,
      data,
      actorId: actor.id,
    })),
  );
});

test('no cell of a CSV export is a formula', async (t) => {
  const { ask } = await queryApp(t);
  const cells = parseCsv((await ask('/audit/export?format=csv')).body).flat();
  t.strictSame(
    cells.filter((cell) => /^[=+\-@\t\r]/.test(cell)),
    [],
  );
  for (const nasty of NASTY)
    t.ok(cells.includes(/^[=+\-@\t']/.test(nasty) ? `'${nasty}` : nasty), nasty);
});

test('an export reads page by page and stops when its reader does', async (t) => {
  const { pool: db } = await testDatabase(t);
  const many = recorded(
    Array.from({ length: 1203 }, (_, index) =>
      onFlag(
        `f${index}`,
        { type: 'FlagCreated', data: flagContent(`f${index}`) },
        { metadata: metadataOf(index) },
      ),
    ),
  );
  await fillReadModel(db, many);
  let reads = 0;
  db.on('acquire', () => {
    reads++;
  });
  const ask = exportAuditLog(db);
  const request = {
    organizationId: ORGANIZATION,
    seesPeople: true,
    filter: {},
    format: 'ndjson',
  } as const;

  const { chunks } = await ask(request);
  const lines = (await collected(chunks)).join('').trimEnd().split('\n');
  t.strictSame(
    lines.map((line) => (JSON.parse(line) as AuditEntry).position),
    many.map(({ position }) => position),
  );

  reads = 0;
  const left = await ask(request);
  await left.chunks.next();
  await left.chunks.return(undefined);
  t.equal(reads, 3, 'the position, one slice, and the names in it');
});

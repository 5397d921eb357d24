import { test } from 'tap';
import { DomainError } from '../../src/domain/decider.js';
import { auditLog } from '../../src/queries/audit/audit-log.js';
import { flagHistory } from '../../src/queries/entities/entity-history.js';
import { type FlagSort, type SortOrder } from '../../src/queries/entities/flag-filter.js';
import { type ListFlags, listFlags } from '../../src/queries/entities/list-flags.js';
import { decodeCursor, encodeCursor, type Page } from '../../src/queries/paging.js';
import { listProjects } from '../../src/queries/projects.js';
import { testDatabase } from '../support/database.js';
import {
  flagContent,
  onFlag,
  ORGANIZATION,
  projectBegins,
  recorded,
} from '../support/histories.js';
import { fillReadModel } from '../support/read-model.js';
import { shopLog } from '../support/shop-log.js';

const SHOP = { organizationId: ORGANIZATION, project: 'shop' };
const KEYS = ['a', 'B', 'c.1', 'c-1', 'C_1', 'd', 'e', 'f', 'g', 'h', 'i'];

/** Flags of which several share a name and a millisecond. */
const twins = recorded([
  ...projectBegins,
  ...KEYS.map((key, index) =>
    onFlag(
      key,
      { type: 'FlagCreated', data: { ...flagContent(key), name: index % 2 ? 'Same' : 'same' } },
      { afterMs: index % 3 === 0 ? 1 : 0 },
    ),
  ),
]);

const codeOf = async (answer: Promise<unknown>): Promise<string> =>
  answer.then(
    () => 'no refusal',
    (error: unknown) => (error instanceof DomainError ? error.code : 'fault'),
  );

/** Every item of a list, page by page. */
const visit = async <Item>(
  pageAfter: (paging: { limit: number; cursor?: string }) => Promise<Page<Item>>,
  limit: number,
): Promise<readonly Item[]> => {
  const visited: Item[] = [];
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page = await pageAfter({ limit, ...(cursor !== undefined && { cursor }) });
    visited.push(...page.items);
    cursor = page.nextCursor;
  }
  return visited;
};

test('pages of flags visit each flag once, in both directions, also with equal sort keys', async (t) => {
  const { pool: db } = await testDatabase(t);
  await fillReadModel(db, twins);
  const moment = { position: twins.at(-1)!.position };
  const keys = async (sort: FlagSort, order: SortOrder, isPast: boolean, limit: number) => {
    const pages = (paging: object) =>
      listFlags(db)({ ...SHOP, moment, isPast, sort, order, ...paging });
    return (await visit(pages, limit)).map(({ key }) => key);
  };
  for (const sort of ['key', 'name', 'createdAt', 'updatedAt'] as const) {
    for (const isPast of [false, true]) {
      const whole = await keys(sort, 'asc', isPast, 100);
      t.strictSame(whole.toSorted(), KEYS.toSorted());
      for (const limit of [1, 2, 5, 11]) {
        t.strictSame(await keys(sort, 'asc', isPast, limit), whole, `${sort} by ${limit}`);
        t.strictSame(await keys(sort, 'desc', isPast, limit), whole.toReversed(), `${sort} back`);
      }
    }
  }
});

test('pages of a history, the audit log and the projects visit everything once', async (t) => {
  const { pool: db } = await testDatabase(t);
  await fillReadModel(db, shopLog);
  const upTo = { position: shopLog.at(-1)!.position };
  const lists = {
    history: (paging: object) => flagHistory(db)({ ...SHOP, flag: 'checkout', ...paging }),
    back: (paging: object) =>
      flagHistory(db)({ ...SHOP, flag: 'checkout', order: 'asc', ...paging }),
    audit: (paging: object) =>
      auditLog(db)({
        organizationId: ORGANIZATION,
        seesPeople: false,
        filter: {},
        upTo,
        ...paging,
      }),
    projects: (paging: object) =>
      listProjects(db)({ organizationId: ORGANIZATION, status: 'all', ...paging }),
  };
  for (const [name, pageAfter] of Object.entries(lists)) {
    const pages = pageAfter as (paging: object) => Promise<Page<unknown>>;
    const whole = await visit(pages, 100);
    t.ok(whole.length > 1, name);
    for (const limit of [1, 2, 3]) t.strictSame(await visit(pages, limit), whole, name);
  }
});

test('a cursor is good for its own question only', async (t) => {
  const { pool: db } = await testDatabase(t);
  await fillReadModel(db, twins);
  const moment = { position: twins.at(-1)!.position };
  const list = (change: Partial<ListFlags>) =>
    listFlags(db)({ ...SHOP, moment, isPast: false, limit: 2, ...change });
  const cursor = (await list({})).nextCursor!;
  t.equal((await list({ cursor })).items.length, 2);
  t.equal((await list({ cursor, limit: 3 })).items.length, 3);
  const others: readonly Partial<ListFlags>[] = [
    { sort: 'name' },
    { order: 'desc' },
    { text: 'a' },
    { isPast: true },
    { project: 'shop', organizationId: ORGANIZATION, status: 'all' },
  ];
  for (const other of others) t.equal(await codeOf(list({ ...other, cursor })), 'invalid-cursor');
});

test('a cursor that was not made here is refused', async (t) => {
  const scope = { list: 'x' };
  const decoded = (cursor: string) => decodeCursor(scope, cursor, ['number', 'string']);
  t.strictSame(decoded(encodeCursor(scope, [7, 'é'])), [7, 'é']);
  const forged = (...keys: unknown[]) => encodeCursor(scope, keys as string[]);
  const bad = ['', 'x', 'W10', 'bnVsbA', forged(7), forged('7', 'a'), forged(7, 'a', 1)];
  const unfit = [forged(-1, 'a'), forged(1.5, 'a'), forged(2 ** 60, 'a'), forged(7, 'a\0')];
  for (const cursor of [...bad, ...unfit]) {
    t.throws(() => decoded(cursor), { code: 'invalid-cursor' }, cursor);
  }
});

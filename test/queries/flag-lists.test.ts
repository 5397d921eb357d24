import { test } from 'tap';
import { flagHistory, type FlagHistory } from '../../src/queries/entities/entity-history.js';
import { listFlags, type ListFlags } from '../../src/queries/entities/list-flags.js';
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
const NOW = { position: shopLog.at(-1)!.position };
const MARCH = { position: 190 };

test('each filter of a list lets through the flags that it names, now and then', async (t) => {
  const { pool: db } = await testDatabase(t);
  await fillReadModel(db, shopLog);
  const keys = async (filter: Partial<ListFlags>) => {
    const asked = { ...SHOP, moment: NOW, isPast: false, ...filter };
    return (await listFlags(db)(asked)).items.map(({ key }) => key);
  };
  t.strictSame(await keys({}), ['banner', 'checkout', 'quiet']);
  t.strictSame(await keys({ status: 'all' }), ['banner', 'checkout', 'old', 'quiet']);
  t.strictSame(await keys({ status: 'active' }), ['checkout', 'quiet']);
  t.strictSame(await keys({ status: 'archived' }), ['banner']);
  t.strictSame(await keys({ status: 'deleted' }), ['old']);
  t.strictSame(await keys({ status: 'all', type: 'string' }), ['old']);
  t.strictSame(await keys({ tags: ['web'] }), ['banner']);
  t.strictSame(await keys({ text: 'SALE' }), ['banner']);
  t.strictSame(await keys({ text: 'r_s' }), ['banner'], 'an underscore is itself');
  t.strictSame(await keys({ text: '%' }), [], 'a percent sign is itself');
  t.strictSame(await keys({ enabledIn: 'production' }), []);
  const then = { moment: MARCH, isPast: true };
  t.strictSame(await keys({ ...then, enabledIn: 'production' }), ['checkout']);
  t.strictSame(await keys({ ...then, tags: ['web', 'pay'] }), ['checkout']);
  t.strictSame(await keys({ ...then, text: '100%' }), ['checkout']);
  t.strictSame(await keys({ ...then, sort: 'updatedAt', order: 'desc' }), ['banner', 'checkout']);
  t.strictSame(await keys({ ...then, status: 'deleted' }), ['old']);
});

test('an accent is found, however it and the question are composed', async (t) => {
  const { pool: db } = await testDatabase(t);
  const flag = (key: string, more: object) =>
    onFlag(key, { type: 'FlagCreated', data: { ...flagContent(key), ...more } });
  const log = recorded([
    ...projectBegins,
    flag('bistro', { name: 'Caf\u00e9' }),
    flag('diner', { description: 'A cafe\u0301.' }),
  ]);
  await fillReadModel(db, log);
  const moment = { position: log.at(-1)!.position };
  for (const text of ['f\u00e9', 'fe\u0301'])
    for (const isPast of [false, true]) {
      const { items } = await listFlags(db)({ ...SHOP, moment, isPast, text });
      t.strictSame(
        items.map(({ key }) => key),
        ['bistro', 'diner'],
      );
    }
});

test('a list tells where each flag is enabled', async (t) => {
  const { pool: db } = await testDatabase(t);
  await fillReadModel(db, shopLog);
  const { items } = await listFlags(db)({ ...SHOP, moment: MARCH, isPast: true });
  t.strictSame(
    items.map(({ key, enabled }) => [key, enabled]),
    [
      ['banner', { development: false, production: false }],
      ['checkout', { development: false, production: true }],
    ],
  );
});

test('each filter of a history lets through the events that it names', async (t) => {
  const { pool: db } = await testDatabase(t);
  await fillReadModel(db, shopLog);
  const revisions = async (filter: Partial<FlagHistory>) => {
    const { items } = await flagHistory(db)({ ...SHOP, flag: 'checkout', order: 'asc', ...filter });
    return items.map(({ revision }) => revision);
  };
  const events = shopLog.filter(({ stream }) => stream.endsWith('shop:checkout'));
  t.strictSame(await revisions({}), [0, 1, 2, 3, 4]);
  t.strictSame(await revisions({ order: 'desc' }), [4, 3, 2, 1, 0]);
  t.strictSame(await revisions({ types: ['FlagEnabled', 'FlagReverted'] }), [1, 4]);
  t.strictSame(await revisions({ actors: [events[1]!.metadata.actor.id] }), [1, 2]);
  t.strictSame(await revisions({ from: events[2]!.recordedAt }), [2, 3, 4]);
  t.strictSame(await revisions({ to: events[2]!.recordedAt }), [0, 1]);
  t.strictSame(await revisions({ types: ['FlagDeleted'] }), []);
});

test('the history of an environment has what was changed there under another name', async (t) => {
  const { pool: db } = await testDatabase(t);
  const own = { ...flagContent('x').defaults, enabled: true };
  const content = { ...flagContent('x'), environments: { production: own } };
  const log = recorded([
    onFlag('x', { type: 'FlagCreated', data: flagContent('x') }),
    onFlag('x', { type: 'FlagEnabled', data: { environment: 'development' } }),
    onFlag('x', { type: 'FlagReverted', data: { content, status: 'active', fromRevision: 0 } }),
    onFlag('x', { type: 'FlagDetailsChanged', data: { name: 'n', description: '', tags: [] } }),
    onFlag('x', { type: 'FlagArchived', data: {} }),
  ]);
  await fillReadModel(db, log);
  const { items } = await flagHistory(db)({ ...SHOP, flag: 'x', environment: 'production' });
  t.strictSame(
    items.map(({ type }) => type),
    ['FlagArchived', 'FlagReverted', 'FlagCreated'],
  );
});

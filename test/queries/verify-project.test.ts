import { test } from 'tap';
import { verifyProject } from '../../src/queries/log/verify.js';
import { comparingWith } from '../support/compared-rows.js';
import { testDatabase } from '../support/database.js';
import { ORGANIZATION } from '../support/histories.js';
import { eventLogOf, fillReadModel } from '../support/read-model.js';
import { shopLog } from '../support/shop-log.js';

const SHOP = { organizationId: ORGANIZATION, project: 'shop' };
const NOW = { position: shopLog.at(-1)!.position };

/** Each is what a bug or an intruder may have done to one row; the verification must name the flag. */
const TAMPERED: readonly (readonly [flag: string | null, statement: string])[] = [
  [
    'quiet',
    `update flag_revision set state = jsonb_set(state, '{defaults,enabled}', 'true') where flag_key = 'quiet'`,
  ],
  ['banner', `delete from flag_revision where flag_key = 'banner' and revision = 1`],
  ['old', `delete from flag_revision where flag_key = 'old'`],
  [
    'checkout',
    `update flag_revision set position_from = position_from + 1 where flag_key = 'checkout' and revision = 3`,
  ],
  [
    null,
    `update project_revision set state = jsonb_set(state, '{name}', '"Shoq"') where project_id = 'acme:shop'`,
  ],
];

test('a row that was altered, moved or lost is found, and told', async (t) => {
  const { pool: db } = await testDatabase(t);
  for (const [flag, statement] of TAMPERED) {
    await fillReadModel(db, shopLog);
    await db.query(statement);
    const at = flag === 'checkout' ? { position: 225 } : NOW;
    const { agree, differences } = await verifyProject(
      eventLogOf(shopLog),
      db,
      comparingWith(db, shopLog),
    )(SHOP, at);
    t.equal(agree, false, statement);
    t.strictSame(
      differences.map((difference) => difference.flag),
      [flag],
      statement,
    );
  }
});

test('a difference says what the log has instead', async (t) => {
  const { pool: db } = await testDatabase(t);
  await fillReadModel(db, shopLog);
  await db.query(TAMPERED[0]![1]);
  const { differences } = await verifyProject(
    eventLogOf(shopLog),
    db,
    comparingWith(db, shopLog),
  )(SHOP, NOW);
  t.strictSame(differences, [
    {
      flag: 'quiet',
      readModelRevision: 0,
      logRevision: 0,
      changes: [
        { path: '/defaults/enabled', before: true, after: false, text: 'by default: disabled' },
      ],
    },
  ]);
});

test('a flag that only the read model has is found', async (t) => {
  const { pool: db } = await testDatabase(t);
  await fillReadModel(db, shopLog);
  const log = shopLog.filter(({ stream }) => !stream.endsWith(':quiet'));
  const { differences } = await verifyProject(
    eventLogOf(log),
    db,
    comparingWith(db, log),
  )(SHOP, NOW);
  t.match(differences, [{ flag: 'quiet', readModelRevision: 0, logRevision: null }]);
});

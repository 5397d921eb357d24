import type pg from 'pg';
import { test } from 'tap';
import { loadCurrentStates } from '../../src/queries/evaluation/current-states.js';
import { testDatabase } from '../support/database.js';

const RECORDED_AT = '2026-01-01T00:00:00.123Z';

const checkpoint = (db: Pick<pg.Pool, 'query'>, position: number) =>
  db.query(
    `insert into checkpoint (projection, position, recorded_at)
     values ('read_model', $1, $2)
     on conflict (projection) do update
        set position = excluded.position`,
    [position, RECORDED_AT],
  );

const project = (db: Pick<pg.Pool, 'query'>) =>
  db.query(
    `insert into project (project_id, organization_id, key, name, status, revision, position,
                          created_at, updated_at, state)
     values ('acme:shop', 'acme', 'shop', 'Shop', 'active', 2, 9007199254740991, $1, $1, $2)`,
    [RECORDED_AT, { status: 'active', key: 'shop' }],
  );

const flag = (db: Pick<pg.Pool, 'query'>, key: string, status: string) =>
  db.query(
    `insert into flag (project_id, key, name, description, type, status, tags, revision, position,
                       created_at, updated_at, state)
     values ('acme:shop', $1, 'A', '', 'boolean', $2, '{}', 7, 12, $3, $3, $4)`,
    [key, status, RECORDED_AT, { status, key }],
  );

const segment = (db: Pick<pg.Pool, 'query'>) =>
  db.query(
    `insert into segment (project_id, key, name, description, status, tags, revision, position,
                          created_at, updated_at, state)
     values ('acme:shop', 's', 'S', '', 'deleted', '{}', 3, 11, $1, $1, $2)`,
    [RECORDED_AT, { status: 'deleted', key: 's' }],
  );

test('an empty read model stands nowhere', async (t) => {
  const { pool: db } = await testDatabase(t);
  const nothing = {
    position: null,
    recordedAt: null,
    applied: null,
    projects: [],
    flags: [],
    segments: [],
    parked: [],
    skipped: [],
  };
  t.strictSame(await loadCurrentStates(db)(), nothing);
});

test('everything comes with numbers for positions, deleted flags and segments too', async (t) => {
  const { pool: db } = await testDatabase(t);
  await project(db);
  await segment(db);
  await flag(db, 'b', 'deleted');
  await flag(db, 'a', 'active');
  await checkpoint(db, 12);
  t.strictSame(await loadCurrentStates(db)(), {
    position: 12,
    recordedAt: RECORDED_AT,
    applied: null,
    projects: [
      {
        projectId: 'acme:shop',
        revision: 2,
        position: Number.MAX_SAFE_INTEGER,
        state: { status: 'active', key: 'shop' },
      },
    ],
    flags: [
      {
        projectId: 'acme:shop',
        key: 'a',
        revision: 7,
        position: 12,
        state: { status: 'active', key: 'a' },
      },
      {
        projectId: 'acme:shop',
        key: 'b',
        revision: 7,
        position: 12,
        state: { status: 'deleted', key: 'b' },
      },
    ],
    segments: [
      {
        projectId: 'acme:shop',
        key: 's',
        revision: 3,
        position: 11,
        state: { status: 'deleted', key: 's' },
      },
    ],
    parked: [],
    skipped: [],
  });
});

test('all of it stands at one position, whatever is written meanwhile', async (t) => {
  const { pool: db } = await testDatabase(t);
  await checkpoint(db, 0);
  const stop = new AbortController();
  const writing = (async () => {
    for (let position = 1; !stop.signal.aborted; position += 1) {
      const writer = await db.connect();
      await writer.query('begin');
      await flag(writer, `f${position}`, 'active');
      await checkpoint(writer, position);
      await writer.query('commit');
      writer.release();
    }
  })();
  for (let round = 0; round < 50; round += 1) {
    const { position, flags } = await loadCurrentStates(db)();
    if (flags.length !== position)
      t.fail(`${flags.length} flags at position ${position ?? 'none'}`);
  }
  stop.abort();
  await writing;
  t.ok(((await loadCurrentStates(db)()).position ?? 0) > 0);
});

test('a failed load leaves no transaction open on a connection of the pool', async (t) => {
  const { pool: db } = await testDatabase(t);
  await db.query('alter table flag rename to elsewhere');
  await t.rejects(loadCurrentStates(db)(), /relation "flag" does not exist/);
  await db.query('alter table elsewhere rename to flag');
  t.equal((await loadCurrentStates(db)()).position, null);
});

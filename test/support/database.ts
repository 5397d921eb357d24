import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import pg from 'pg';
import { type Test } from 'tap';
import { migrateDatabase } from '../../src/infrastructure/postgres/migrate.js';
import { createPool } from '../../src/infrastructure/postgres/postgres.js';
import { until } from './until.js';

const MIGRATIONS = new URL('../../migrations/', import.meta.url);

/** Held while the template is made or copied: Postgres copies no database that someone is connected to. */
const TEMPLATE_LOCK = 7_215_100;

const server = (): string => {
  const url = process.env['TEST_DATABASE_URL'];
  if (url === undefined) throw new Error('TEST_DATABASE_URL is not set.');
  return url;
};

const urlOf = (database: string): string => {
  const url = new URL(server());
  url.pathname = `/${database}`;
  return url.href;
};

/** Changes with the migrations, so that a template is never older than they are. */
const templateName = (): string => {
  const hash = createHash('sha256');
  for (const folder of ['service/', 'read-model/'])
    for (const file of readdirSync(new URL(folder, MIGRATIONS)).sort())
      hash.update(file).update(readFileSync(new URL(`${folder}${file}`, MIGRATIONS)));
  return `chronoflag_template_${hash.digest('hex').slice(0, 12)}`;
};

const makeTemplate = async (admin: pg.Client, template: string): Promise<void> => {
  const { rowCount } = await admin.query('select from pg_database where datname = $1', [template]);
  if (rowCount === 1) return;
  await admin.query(`create database ${template}_making`);
  const pool = createPool({ url: urlOf(`${template}_making`), use: 'maintenance' });
  await migrateDatabase(pool);
  await pool.end();
  await admin.query(`alter database ${template}_making rename to ${template}`);
};

const withAdmin = async (work: (admin: pg.Client) => Promise<void>): Promise<void> => {
  const admin = new pg.Client({ connectionString: server() });
  await admin.connect();
  try {
    await work(admin);
  } finally {
    await admin.end();
  }
};

/** Postgres' own autovacuum may be in it for a moment, and nobody but a superuser may end that. */
const AUTOVACUUM_IS_IN_IT = '42501';

const tryDrop = async (admin: pg.Client, database: string): Promise<boolean> => {
  try {
    await admin.query(`drop database ${database} with (force)`);
    return true;
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === AUTOVACUUM_IS_IN_IT) return false;
    throw error;
  }
};

/**
 * A database of this test's own, migrated, dropped when the test ends.
 * `isMigrated: false` gives an empty one.
 */
export const testDatabase = async (
  t: Test,
  { isMigrated = true }: { isMigrated?: boolean } = {},
): Promise<Readonly<{ url: string; pool: pg.Pool }>> => {
  const database = `chronoflag_test_${randomBytes(6).toString('hex')}`;
  const template = templateName();
  await withAdmin(async (admin) => {
    await admin.query('select pg_advisory_lock($1)', [TEMPLATE_LOCK]);
    if (isMigrated) await makeTemplate(admin, template);
    await admin.query(
      `create database ${database} template ${isMigrated ? template : 'template0'}`,
    );
  });
  const url = urlOf(database);
  const pool = createPool({ url, use: 'projector', max: 20 });
  t.teardown(async () => {
    await pool.end();
    await withAdmin(async (admin) => {
      await until(`${database} is dropped`, () => tryDrop(admin, database));
    });
  });
  return { url, pool };
};

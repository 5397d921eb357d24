import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test, type Test } from 'tap';
import { migrate, migrateDatabase } from '../../src/infrastructure/postgres/migrate.js';
import { testDatabase } from '../support/database.js';

const setUp = async (t: Test) => {
  const { pool } = await testDatabase(t, { isMigrated: false });
  const folder = await mkdtemp(join(tmpdir(), 'migrations-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const write = (file: string, sql: string) => writeFile(join(folder, file), sql);
  await write('001_a.sql', 'create table a (n int)');
  await write('002_b.sql', 'create table b (n int)');
  const options = { schema: 'things', folder: pathToFileURL(`${folder}/`) };
  const tables = async (): Promise<readonly string[]> => {
    const { rows } = await pool.query<{ name: string }>(
      `select table_name as name from information_schema.tables
        where table_schema = 'things' order by table_name`,
    );
    return rows.map(({ name }) => name);
  };
  return { pool, folder, write, tables, run: () => migrate(pool, options), options };
};

test('what is due is applied once, in order', async (t) => {
  const { run, write, tables } = await setUp(t);
  t.strictSame(await run(), ['001_a.sql', '002_b.sql']);
  t.strictSame(await run(), []);
  await write('003_c.sql', 'alter table b rename to c');
  t.strictSame(await run(), ['003_c.sql']);
  t.strictSame(await tables(), ['a', 'c', 'migration']);
});

test('two processes that start together migrate once', async (t) => {
  const { run } = await setUp(t);
  const applied = await Promise.all([run(), run(), run()]);
  t.strictSame(applied.flat().toSorted(), ['001_a.sql', '002_b.sql']);
});

test('a failing file leaves the schema as it was', async (t) => {
  const { run, write, tables } = await setUp(t);
  await run();
  await write('003_c.sql', 'create table c (n int); select nonsense');
  await t.rejects(run(), /nonsense/);
  t.strictSame(await tables(), ['a', 'b', 'migration']);
});

test('a file that was changed after it was applied is refused', async (t) => {
  const { run, write } = await setUp(t);
  await run();
  await write('001_a.sql', 'create table a (n bigint)');
  await t.rejects(run(), { name: 'MigrationError', message: /'001_a.sql'.*changed/ });
});

test('a database that is newer than the program is refused', async (t) => {
  const { run, folder } = await setUp(t);
  await run();
  await rm(join(folder, '002_b.sql'));
  await t.rejects(run(), { name: 'MigrationError', message: /newer.*'002_b.sql'/ });
});

test('files can be left for later', async (t) => {
  const { pool, options, run } = await setUp(t);
  const isPostponed = (file: string): boolean => file.startsWith('001');
  t.strictSame(await migrate(pool, { ...options, isPostponed }), ['002_b.sql']);
  t.strictSame(await run(), ['001_a.sql']);
});

test('the service has its tables in two schemas', async (t) => {
  const { pool } = await testDatabase(t, { isMigrated: false });
  await migrateDatabase(pool);
  await migrateDatabase(pool);
  const { rowCount } = await pool.query('select from chronoflag.credentials, read_model.flag');
  t.equal(rowCount, 0);
});

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import type pg from 'pg';
import { LOCKS, READ_MODEL_SCHEMA, whileLocked } from './postgres.js';

/** The same from src/ and from dist/. */
const MIGRATIONS = new URL('../../../migrations/', import.meta.url);

export const SERVICE_SCHEMA = 'chronoflag';

export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

type Migration = Readonly<{ file: string; sql: string; sha256: string }>;

const loadMigrations = async (folder: URL): Promise<readonly Migration[]> => {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.sql')).sort();
  return Promise.all(
    files.map(async (file) => {
      const sql = await readFile(new URL(file, folder), 'utf8');
      return { file, sql, sha256: createHash('sha256').update(sql).digest('hex') };
    }),
  );
};

type AppliedRow = { file: string; sha256: string };

const checkApplied = (
  schema: string,
  migrations: readonly Migration[],
  applied: readonly AppliedRow[],
): void => {
  for (const { file, sha256 } of applied) {
    const known = migrations.find((migration) => migration.file === file);
    if (known === undefined)
      throw new MigrationError(
        `The database is newer than this program: schema '${schema}' has migration '${file}'.`,
      );
    if (known.sha256 !== sha256)
      throw new MigrationError(
        `Migration '${file}' of schema '${schema}' was changed after it was applied. Add a new file instead.`,
      );
  }
};

const prepare = async (client: pg.PoolClient, schema: string): Promise<readonly AppliedRow[]> => {
  await client.query(`create schema if not exists ${schema}`);
  await client.query(`
    create table if not exists ${schema}.migration (
      file text not null,
      sha256 text not null,
      applied_at timestamptz not null default now(),
      constraint migration_pk primary key (file)
    )`);
  const { rows } = await client.query<AppliedRow>(
    `select m.file, m.sha256 from ${schema}.migration m`,
  );
  return rows;
};

/** Begin, work, commit; a rollback when the work rejects. */
const inTransaction = async <T>(
  client: pg.PoolClient,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> => {
  await client.query('begin');
  try {
    const result = await work(client);
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
};

export type MigrateOptions = Readonly<{
  schema: string;
  /** Holds `NNN_what.sql`, applied in the order of their names. */
  folder: URL;
  /** Leaves files for a later call. @defaultValue none */
  isPostponed?: (file: string) => boolean;
}>;

/**
 * Brings one schema up to this program's migrations: all due files and the notes of them in one transaction.
 * @returns the files applied now
 * @throws MigrationError when an applied file was changed, or the database is newer than this program
 */
export const migrate = async (
  pool: pg.Pool,
  { schema, folder, isPostponed = () => false }: MigrateOptions,
): Promise<readonly string[]> => {
  const migrations = await loadMigrations(folder);
  const bringUp = async (client: pg.PoolClient): Promise<readonly string[]> => {
    const applied = await prepare(client, schema);
    checkApplied(schema, migrations, applied);
    const names = new Set(applied.map(({ file }) => file));
    const due = migrations.filter(({ file }) => !names.has(file) && !isPostponed(file));
    for (const { file, sql, sha256 } of due) {
      await client.query(`set local search_path = ${schema}`);
      await client.query(sql);
      await client.query(`insert into ${schema}.migration (file, sha256) values ($1, $2)`, [
        file,
        sha256,
      ]);
    }
    return due.map(({ file }) => file);
  };
  return whileLocked(pool, LOCKS.migration, (client) => inTransaction(client, bringUp));
};

export const READ_MODEL_MIGRATIONS = new URL('read-model/', MIGRATIONS);

/** Everything this program needs in a database. Use a pool without statement time limits. */
export const migrateDatabase = async (pool: pg.Pool): Promise<void> => {
  await migrate(pool, { schema: SERVICE_SCHEMA, folder: new URL('service/', MIGRATIONS) });
  await migrate(pool, { schema: READ_MODEL_SCHEMA, folder: READ_MODEL_MIGRATIONS });
};

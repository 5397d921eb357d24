import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Redis } from 'ioredis';
import type pg from 'pg';
import { gather } from './canary.js';

/** Every row of every table of ours, as text. */
const rowsIn = async (pool: pg.Pool): Promise<string> => {
  const { rows: tables } = await pool.query<{ name: string }>(
    `select format('%I.%I', t.table_schema, t.table_name) as name
       from information_schema.tables t
      where t.table_schema not in ('pg_catalog', 'information_schema')`,
  );
  const texts = [];
  for (const { name } of tables) {
    const { rows } = await pool.query<{ text: string }>(`select t::text as text from ${name} t`);
    texts.push(name, ...rows.map(({ text }) => text));
  }
  return texts.join('\n');
};

const READERS: Readonly<Record<string, readonly [command: string, ...rest: string[]]>> = {
  string: ['GET'],
  hash: ['HGETALL'],
  set: ['SMEMBERS'],
  list: ['LRANGE', '0', '-1'],
  zset: ['ZRANGE', '0', '-1'],
  stream: ['XRANGE', '-', '+'],
};

const valuesIn = async (redis: Redis, keys: readonly string[]): Promise<string> => {
  const texts = [];
  for (const key of keys) {
    const [command, ...rest] = READERS[await redis.type(key)] ?? ['DUMP'];
    texts.push(key, JSON.stringify(await redis.call(command, key, ...rest)));
  }
  return texts.join('\n');
};

/** Gathers all that a service has stored. */
export const gatherStores = async (
  pool: pg.Pool,
  redis: Redis,
  { keys, logFolder }: Readonly<{ keys: readonly string[]; logFolder: string }>,
): Promise<void> => {
  gather('postgres', await rowsIn(pool));
  gather('redis', await valuesIn(redis, keys));
  for (const file of readdirSync(logFolder))
    gather('log-file', readFileSync(join(logFolder, file)));
};

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import { type TestService } from './service.js';

const files = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

/** Everything in the database, as text. */
const rowsOf = async (databaseUrl: string): Promise<string> => {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const { rows: tables } = await client.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
      where schemaname not in ('pg_catalog', 'information_schema')`,
  );
  const found: string[] = [];
  for (const { name } of tables) {
    const { rows } = await client.query<{ row: string }>(`select t::text as row from ${name} t`);
    found.push(...rows.map(({ row }) => row));
  }
  await client.end();
  return found.join('\n');
};

const valueOf = async (redis: Redis, key: string): Promise<unknown> => {
  const type = await redis.type(key);
  if (type === 'hash') return redis.hgetall(key);
  if (type === 'stream') return redis.xrange(key, '-', '+');
  return type === 'string' ? redis.get(key) : `${key} ${type}`;
};

const redisOf = async (url: string, prefix: string): Promise<string> => {
  const redis = new Redis(url);
  const keys = await redis.keys(`*${prefix}*`);
  const found = await Promise.all(keys.map((key) => valueOf(redis, key)));
  redis.disconnect();
  return JSON.stringify(found);
};

/** Which stores have a text in them. */
export const holders = async (
  { environment }: Pick<TestService, 'environment'>,
  text: string,
): Promise<readonly string[]> => {
  const folder = environment['DATA_DIRECTORY'] ?? '';
  const inFiles = files(folder).filter((file) => readFileSync(file).includes(text));
  const texts = {
    postgres: await rowsOf(environment['DATABASE_URL'] ?? ''),
    redis: await redisOf(environment['REDIS_URL'] ?? '', environment['REDIS_PREFIX'] ?? ''),
  };
  return [
    ...inFiles.map((file) => file.slice(folder.length + 1)),
    ...Object.entries(texts).flatMap(([name, all]) => (all.includes(text) ? [name] : [])),
  ];
};

import { once } from 'node:events';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { READ_MODELS } from '../../projections/read-models.js';
import { exactJson, type Table, wholeNumbers } from '../../projections/projection.js';
import { sameJson, type Json } from '../../domain/json.js';
import { type RowDifference } from '../../domain/verification.js';
import {
  type Checksum,
  type Comparison,
  type CopySink,
} from '../../projections/rebuild/rebuild-database.js';

const ALL = READ_MODELS.flatMap(({ tables }) => tables);

/** The names of the read model's tables, without the checkpoint's. */
export const TABLES = ALL.map(({ name }) => name);

/**
 * Opens a COPY on a connection of its own; `open` has it until all rows are stored. The table is emptied in the same
 * transaction: at `wal_level` minimal its rows then go to its file alone and not also to the write-ahead log, and
 * at any level they can be written frozen, which no later VACUUM has to do.
 */
export const copyInto = (pool: pg.Pool, open: Set<pg.PoolClient>, table: Table): CopySink => {
  const columns = Object.keys(table.columns).join(', ');
  const opening = pool.connect().then(async (client) => {
    open.add(client);
    await client.query('begin');
    await client.query(`truncate ${table.name}`);
    const copy = `copy ${table.name} (${columns}) from stdin with (freeze)`;
    const stream = client.query(copyFrom(copy));
    const done = once(stream, 'finish');
    // Whoever writes or ends next is told; until then the failure must not count as unhandled.
    done.catch(() => undefined);
    return { client, stream, done };
  });
  opening.catch(() => undefined);
  return {
    write: async (lines) => {
      const { stream, done } = await opening;
      if (!stream.write(lines)) await Promise.race([once(stream, 'drain'), done]);
    },
    end: async () => {
      const { client, stream, done } = await opening;
      stream.end();
      await done;
      await client.query('commit');
      open.delete(client);
      client.release();
    },
  };
};

/** `row::text` holds every column; the sum does not depend on the order of rows. */
export const checksums = async (
  client: pg.PoolClient,
  schema: string,
): Promise<readonly Checksum[]> => {
  const sums: Checksum[] = [];
  for (const table of TABLES) {
    const { rows } = await client.query<{ rows: string; sum: string }>(
      `select count(*) as rows, coalesce(sum(hashtextextended(t::text, 0)), 0)::text as sum
         from ${schema}.${table} t`,
    );
    sums.push({ table, rows: Number(rows[0]?.rows), sum: rows[0]?.sum ?? '' });
  }
  return sums;
};

/** The first differences of each table that differs. */
const NAMED_DIFFERENCES = 3;

type Stored = Readonly<Record<string, Json>> | null;
type Pair = Readonly<{ key: Record<string, unknown>; live: Stored; rebuilt: Stored }>;
type Read = Pair & Readonly<{ numbersOfLive: Stored; numbersOfRebuilt: Stored }>;

/** A double does not hold every whole number of a row. */
const exactly = ({ key, live, rebuilt, numbersOfLive, numbersOfRebuilt }: Read): Pair => ({
  key,
  live: live && { ...live, ...numbersOfLive },
  rebuilt: rebuilt && { ...rebuilt, ...numbersOfRebuilt },
});

const differenceOf = (table: string, { key, live, rebuilt }: Pair): RowDifference => {
  if (live === null) return { table, key, column: null, only: 'rebuilt' };
  if (rebuilt === null) return { table, key, column: null, only: 'live' };
  const column = Object.keys(rebuilt).find(
    (name) => !sameJson(live[name] ?? null, rebuilt[name] ?? null),
  );
  return { table, key, column: column ?? null };
};

/** The first rows, by key, that two schemas do not have alike. */
const differingRows = async (
  client: pg.PoolClient,
  [live, rebuilt]: readonly [string, string],
  table: Table,
): Promise<readonly RowDifference[]> => {
  const { name, key } = table;
  const either = key.map((column) => `coalesce(l.${column}, r.${column})`);
  const { rows } = await client.query<Read>(
    `select json_build_object(${key.map((column, nth) => `'${column}', ${exactJson(table, column, either[nth] ?? '')}`).join(', ')}) as key,
            to_json(l) as live, to_json(r) as rebuilt, ${wholeNumbers(table, 'l')} as "numbersOfLive",
            ${wholeNumbers(table, 'r')} as "numbersOfRebuilt"
       from ${live}.${name} l
       full join ${rebuilt}.${name} r
         on ${key.map((column) => `l.${column} = r.${column}`).join(' and ')}
      where l::text is distinct from r::text
      order by ${either.join(', ')}
      limit ${NAMED_DIFFERENCES}`,
  );
  return rows.map((row) => differenceOf(name, exactly(row)));
};

/** Both read models, table by table; where the sums differ, also which rows. */
export const comparison = async (
  client: pg.PoolClient,
  schemas: Readonly<{ live: string; rebuilt: string }>,
): Promise<Comparison> => {
  const live = await checksums(client, schemas.live);
  const rebuilt = await checksums(client, schemas.rebuilt);
  const different = ALL.filter(
    (_, nth) => live[nth]?.rows !== rebuilt[nth]?.rows || live[nth]?.sum !== rebuilt[nth]?.sum,
  );
  const differences: RowDifference[] = [];
  for (const table of different)
    differences.push(...(await differingRows(client, [schemas.live, schemas.rebuilt], table)));
  return { live, rebuilt, differences };
};

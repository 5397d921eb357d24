import { once } from 'node:events';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { READ_MODELS } from '../../projections/index.js';
import { type Table } from '../../projections/projection.js';
import { type Checksum, type CopySink } from '../../projections/rebuild/rebuild-database.js';

/** The names of the read model's tables, without the checkpoint's. */
export const TABLES = READ_MODELS.flatMap(({ tables }) => tables).map(({ name }) => name);

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

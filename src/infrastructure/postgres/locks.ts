import type pg from 'pg';

/** Advisory locks in Postgres: each is held by one connection at a time, of all processes. */
export const LOCKS = {
  migration: 7_215_001,
  projector: 7_215_002,
  rebuild: 7_215_003,
  signingKeys: 7_215_004,
  firstStart: 7_215_005,
  erasure: 7_215_020,
} as const;

/**
 * Waits for the lock, and holds it during `work`. It is taken outside of any transaction: one that began before the
 * wait would not see the schemas and tables that were made meanwhile.
 */
export const whileLocked = async <T>(
  pool: pg.Pool,
  lock: number,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> => {
  const client = await pool.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [lock]);
    return await work(client);
  } finally {
    const unlocked = client.query('select pg_advisory_unlock($1)', [lock]);
    // With its session the lock is gone, too.
    const isBroken = await unlocked.then(
      () => false,
      () => true,
    );
    client.release(isBroken);
  }
};

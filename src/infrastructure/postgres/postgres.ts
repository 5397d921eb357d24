import pg from 'pg';
import { toPosition } from '../../domain/position.js';
import { type Database, DataRefused, type Transaction } from '../../projections/projection.js';

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

/** What a pool is for; sets how long a statement, and a connection, may take. */
type PoolUse = 'request' | 'projector' | 'start' | 'maintenance';

/**
 * `statementMs` is enforced by the server, `queryMs` by us, for a server that no longer answers. 0: no limit. Whoever
 * starts waits longer for a connection: several processes that start on a small machine keep it busy.
 */
const LIMITS = {
  request: { connectMs: 1_000, statementMs: 2_500, queryMs: 3_000 },
  projector: { connectMs: 1_000, statementMs: 10_000, queryMs: 11_000 },
  start: { connectMs: 3_000, statementMs: 10_000, queryMs: 11_000 },
  maintenance: { connectMs: 3_000, statementMs: 0, queryMs: 0 },
} as const satisfies Record<PoolUse, object>;

/** `bigint`, of which most are positions. Everything else as it is by default. */
const INT8 = pg.types.builtins.INT8;
const TYPES: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    oid === INT8 && format !== 'binary'
      ? toPosition
      : (pg.types.getTypeParser(oid, format) as (text: string) => unknown),
};

export const READ_MODEL_SCHEMA = 'read_model';

type PoolOptions = Readonly<{
  url: string;
  use?: PoolUse;
  /** @defaultValue `read_model` */
  schema?: string;
  /** Connections at most. @defaultValue 10 */
  max?: number;
  /** A connection broke while idle; the pool replaces it. Without a listener the process would end. */
  onError?: (error: Error) => void;
}>;

/** A pool none of whose calls can hang for ever; unqualified names are the read model's. */
export const createPool = ({
  url,
  use = 'request',
  schema = READ_MODEL_SCHEMA,
  max = 10,
  onError = () => undefined,
}: PoolOptions): pg.Pool => {
  const { connectMs, statementMs, queryMs } = LIMITS[use];
  const pool = new pg.Pool({
    connectionString: url,
    types: TYPES,
    max,
    connectionTimeoutMillis: connectMs,
    keepAlive: true,
    idle_in_transaction_session_timeout: use === 'maintenance' ? 0 : 5_000,
    options: `-c search_path=${schema}`,
    application_name: `chronoflag ${use}`,
    ...(queryMs > 0 && { statement_timeout: statementMs, query_timeout: queryMs }),
  });
  pool.on('error', onError);
  // The pool listens to idle connections only; one that breaks while in use would end the process.
  pool.on('connect', (client) => {
    client.on('error', () => undefined);
  });
  return pool;
};

/** SQLSTATE classes for which the values are to blame: data exception, integrity violation, limit exceeded. */
const REFUSALS: readonly string[] = ['22', '23', '54'];

const isFromServer = (error: unknown): error is pg.DatabaseError =>
  error instanceof pg.DatabaseError && error.code !== undefined;

const translated = (error: unknown): unknown =>
  isFromServer(error) && REFUSALS.includes(error.code?.slice(0, 2) ?? '')
    ? new DataRefused(`${error.message} (SQLSTATE ${error.code ?? ''})`, { cause: error })
    : error;

/** The connection is gone or going: shutdown, crash, broken link; or busy with a query that was given up. */
const isBroken = (error: unknown): boolean =>
  isFromServer(error)
    ? /^(57P|08)/.test(error.code ?? '')
    : error instanceof Error && /timeout|terminated|ECONN|EPIPE|not queryable/i.test(error.message);

const roll = async (client: pg.PoolClient, error: unknown): Promise<void> => {
  if (isBroken(error)) {
    client.release(true);
    return;
  }
  await client.query('rollback').then(
    () => {
      client.release();
    },
    () => {
      client.release(true);
    },
  );
};

/** Begin, work, commit; roll back when the work rejects. A connection in doubt is not used again. */
export const transaction = async <T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> => {
  const client = await pool.connect();
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    client.release();
    return result;
  } catch (error) {
    await roll(client, error);
    throw error;
  }
};

/** The projections' port to a transaction on this connection. @throws DataRefused */
export const transactionOn = (client: Pick<pg.PoolClient, 'query'>): Transaction => ({
  query: async (text, values = []) => {
    try {
      const { rows, rowCount } = await client.query<Record<string, unknown>>(text, [...values]);
      return { rows, rowCount: rowCount ?? 0 };
    } catch (error) {
      throw translated(error);
    }
  },
});

/** The projections' port to a pool. */
export const databaseOn = (pool: pg.Pool): Database => ({
  transaction: async (work) => transaction(pool, (client) => work(transactionOn(client))),
});

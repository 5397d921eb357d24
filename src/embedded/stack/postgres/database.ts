import pg from 'pg';

/** Name of the database and of the role that owns it. */
export const DATABASE = 'chronoflag';

const CONNECT_TIMEOUT_MS = 10_000;
const INVALID_CATALOG_NAME = '3D000'; // there is no such database
const INVALID_PASSWORD = '28P01'; // there is no such role (Postgres does not tell the two apart)

type Access = Readonly<{ port: number; administratorPassword: string; password: string }>;

const connect = async (port: number, user: string, password: string, database: string) => {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user,
    password,
    database,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: CONNECT_TIMEOUT_MS,
  });
  client.on('error', () => undefined); // the connection is short; what matters fails a query
  await client.connect();
  return client;
};

const isThere = async ({ port, password }: Access): Promise<boolean> => {
  try {
    const client = await connect(port, DATABASE, password, DATABASE);
    await client.end();
    return true;
  } catch (error) {
    const code = error instanceof pg.DatabaseError ? error.code : undefined;
    if (code === INVALID_CATALOG_NAME || code === INVALID_PASSWORD) return false;
    throw error;
  }
};

/**
 * Makes the role and its database unless they can be connected to already. The role is no superuser, whom row-level
 * security would not hold back; it may create databases, for tests and rebuilds.
 */
export const ensureDatabase = async (access: Access): Promise<void> => {
  if (await isThere(access)) return;
  const client = await connect(access.port, 'postgres', access.administratorPassword, 'postgres');
  try {
    const { rowCount } = await client.query('select 1 from pg_roles r where r.rolname = $1', [
      DATABASE,
    ]);
    const password = client.escapeLiteral(access.password);
    const verb = rowCount === 0 ? 'create' : 'alter';
    await client.query(`${verb} role ${DATABASE} login createdb password ${password}`);
    const { rowCount: databases } = await client.query(
      'select 1 from pg_database d where d.datname = $1',
      [DATABASE],
    );
    if (databases === 0) await client.query(`create database ${DATABASE} owner ${DATABASE}`);
  } finally {
    await client.end();
  }
};

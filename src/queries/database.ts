import { type Pool } from 'pg';

/** What a query needs of Postgres; names without a schema are the read model's. */
export type Database = Pick<Pool, 'query'>;

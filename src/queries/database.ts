import { type QueryConfig, type QueryResultRow } from 'pg';

/**
 * `organizationId`: whose rows they are; said where they hold personal data that is to be read. Without it such texts
 * stay sealed.
 */
export type Question = Omit<QueryConfig<unknown[]>, 'types'> &
  Readonly<{ organizationId?: string }>;

/** What a query needs of Postgres; names without a schema are the read model's. `pg.Pool` is one, that opens nothing. */
export type Database = Readonly<{
  query: <R extends QueryResultRow = QueryResultRow>(
    question: Question,
  ) => Promise<Readonly<{ rows: R[] }>>;
}>;

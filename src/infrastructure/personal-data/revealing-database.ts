import { type QueryResultRow } from 'pg';
import { type Database, type Question } from '../../queries/database.js';
import { type PersonalData } from './personal-data.js';

/** A database whose rows, where a query says whose they are, come with their personal texts opened. */
export const revealingDatabase = (db: Database, personal: PersonalData): Database => ({
  query: async <R extends QueryResultRow>({ organizationId, ...question }: Question) => {
    const { rows } = await db.query<R>(question);
    if (organizationId === undefined) return { rows };
    return { rows: await personal.revealed(organizationId, rows) };
  },
});

import { type MasterKey } from '../infrastructure/master-key.js';
import { personalData } from '../infrastructure/personal-data/personal-data.js';
import { subjectTable } from '../infrastructure/personal-data/subject-table.js';
import { createPool } from '../infrastructure/postgres/postgres.js';

/** What seals and opens personal data, with connections of its own: commands must not wait behind queries. */
export const startPersonalData = (databaseUrl: string, masterKey: MasterKey) => {
  const pool = createPool({ url: databaseUrl, max: 3 });
  const personal = personalData(subjectTable(pool, masterKey));
  return {
    ...personal,
    stop: async (): Promise<void> => {
      await pool.end();
    },
  };
};

export type StartedPersonalData = ReturnType<typeof startPersonalData>;

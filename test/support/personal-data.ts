import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Pool } from 'pg';
import { loadMasterKey, type MasterKey } from '../../src/infrastructure/keys/master-key.js';
import { personalData } from '../../src/infrastructure/personal-data/personal-data.js';
import { type PersonalSnapshot } from '../../src/infrastructure/personal-data/revealed-snapshot.js';
import { subjectTable } from '../../src/infrastructure/personal-data/subject-table.js';

/** For logs that hold no sealed text. */
export const nothingSealed: PersonalSnapshot = {
  contents: async (contents) => contents,
  delta: async (delta) => delta,
  lastErasure: async () => -1,
  forget: () => undefined,
};

export const anyMasterKey = (): Promise<MasterKey> =>
  loadMasterKey({
    configured: randomBytes(32).toString('base64'),
    file: join(tmpdir(), 'not-used.key'),
  });

/** One process's view of the personal data in a database. */
export const personalDataOn = (pool: Pool, masterKey: MasterKey) =>
  personalData(subjectTable(pool, masterKey));

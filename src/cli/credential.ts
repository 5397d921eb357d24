import { issueAdminCredential } from '../composition/first-start.js';
import { masterKeyOf, migrated, requireOneInstallation } from '../composition/prepare.js';
import { connectEventStore, provideServices } from '../composition/services.js';
import { writeSide } from '../composition/write-side.js';
import { loadConfig } from '../config.js';
import { credentialStore } from '../infrastructure/keys/api-tokens.js';
import { kurrentEventLog } from '../infrastructure/kurrent/event-log.js';
import { kurrentEventStore } from '../infrastructure/kurrent/event-store.js';
import { createPool } from '../infrastructure/postgres/postgres.js';
import { runProgram } from './run-program.js';

const USAGE = `npm run credential -- issue     issues another admin credential
npm run credential -- replace   issues one and revokes all others`;

const quiet = (): void => undefined;

const run = async (command: string | undefined): Promise<number> => {
  if (command !== 'issue' && command !== 'replace') {
    process.stdout.write(`${USAGE}\n`);
    return 2;
  }
  const log = { info: quiet, warn: quiet };
  const config = loadConfig(process.env);
  const uses = { eventStore: 'write', postgres: true } as const;
  const services = await provideServices(config, { log, joins: true, uses });
  const { databaseUrl, eventStoreUrl } = services;
  const masterKey = await masterKeyOf(config);
  await migrated(databaseUrl, masterKey);
  const pool = createPool({ url: databaseUrl, max: 1 });
  const connection = connectEventStore(config, eventStoreUrl);
  const commands = writeSide(kurrentEventStore(connection), kurrentEventLog(connection).head);
  try {
    await requireOneInstallation({ databaseUrl, connection, masterKey }, 'mark');
    const credential = await issueAdminCredential(commands, credentialStore(pool), {
      reason: `npm run credential -- ${command}`,
      replace: command === 'replace',
    });
    process.stdout.write(`The admin credential, shown this once:\n  ${credential}\n`);
    return 0;
  } finally {
    await pool.end();
    await connection.close();
    await services.stop();
  }
};

await runProgram('credential', () => run(process.argv[2]));

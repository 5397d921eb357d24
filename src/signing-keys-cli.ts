import { masterKeyOf, migrated } from './composition/prepare.js';
import { provideServices } from './composition/services.js';
import { loadConfig } from './config.js';
import { createPool } from './infrastructure/postgres/postgres.js';
import { newSigningKey } from './infrastructure/signing-keys/key-ring.js';
import {
  type ListedKey,
  signingKeyTable,
} from './infrastructure/signing-keys/signing-key-table.js';

const USAGE = `npm run signing-keys -- list           the keys that access tokens are signed with
npm run signing-keys -- remove <kid>   what it signed stops being valid at once, in every process`;

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

const lineOf = ({ kid, signsFrom, isSigning }: ListedKey): string =>
  `${kid}  signs from ${signsFrom.toISOString()}${isSigning ? ', now' : ''}`;

const run = async ([command, kid]: readonly string[]): Promise<number> => {
  const isRemoval = command === 'remove' && kid !== undefined;
  if (command !== 'list' && !isRemoval) {
    print(USAGE);
    return 2;
  }
  const quiet = (): void => undefined;
  const config = loadConfig(process.env);
  const masterKey = await masterKeyOf(config);
  const services = await provideServices(config, {
    log: { info: quiet, warn: quiet },
    joins: true,
  });
  await migrated(services.databaseUrl, masterKey);
  const pool = createPool({ url: services.databaseUrl, max: 1 });
  const keys = signingKeyTable(pool);
  try {
    const isGone =
      isRemoval && (await keys.remove(kid, newSigningKey(masterKey.for('signing keys'))));
    if (isRemoval) print(isGone ? `${kid} is removed.` : `There is no key ${kid}.`);
    for (const key of await keys.list()) print(lineOf(key));
    return isRemoval && !isGone ? 1 : 0;
  } finally {
    await pool.end();
    await services.stop();
  }
};

try {
  process.exit(await run(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`signing-keys: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}

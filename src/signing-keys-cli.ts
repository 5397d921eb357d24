import { masterKeyOf, migrated } from './composition/prepare.js';
import { provideServices } from './composition/services.js';
import { loadConfig } from './config.js';
import { type MasterKey } from './infrastructure/master-key.js';
import { createPool } from './infrastructure/postgres/postgres.js';
import { newSigningKey } from './infrastructure/signing-keys/key-ring.js';
import {
  type ListedKey,
  signingKeyTable,
} from './infrastructure/signing-keys/signing-key-table.js';

type SigningKeys = ReturnType<typeof signingKeyTable>;

const USAGE = `npm run signing-keys -- list           the keys that access tokens are signed with
npm run signing-keys -- remove <kid>   what it signed stops being valid at once, in every process`;

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

const lineOf = ({ kid, signsFrom, isSigning }: ListedKey): string =>
  `${kid}  signs from ${signsFrom.toISOString()}${isSigning ? ', now' : ''}`;

/** Whether there was such a key. */
const removed = async (keys: SigningKeys, kid: string, masterKey: MasterKey): Promise<boolean> => {
  const isGone = await keys.remove(kid, newSigningKey(masterKey.for('signing keys')));
  print(isGone ? `${kid} is removed.` : `There is no key ${kid}.`);
  return isGone;
};

/** `kid`: of the key to remove; without one they are listed only. */
const run = async (kid?: string): Promise<number> => {
  const quiet = (): void => undefined;
  const config = loadConfig(process.env);
  const masterKey = await masterKeyOf(config);
  const log = { info: quiet, warn: quiet };
  const services = await provideServices(config, { log, joins: true });
  await migrated(services.databaseUrl, masterKey);
  const pool = createPool({ url: services.databaseUrl, max: 1 });
  const keys = signingKeyTable(pool);
  try {
    const isDone = kid === undefined || (await removed(keys, kid, masterKey));
    for (const key of await keys.list()) print(lineOf(key));
    return isDone ? 0 : 1;
  } finally {
    await pool.end();
    await services.stop();
  }
};

const start = async ([command, kid]: readonly string[]): Promise<number> => {
  if (command === 'list') return run();
  if (command === 'remove' && kid !== undefined) return run(kid);
  print(USAGE);
  return 2;
};

try {
  process.exit(await start(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`signing-keys: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}

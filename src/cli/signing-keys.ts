import { masterKeyOf, migrated, requireOneInstallation } from '../composition/prepare.js';
import { serviceEvents } from '../composition/service-events.js';
import { connectEventStore, provideServices, type Services } from '../composition/services.js';
import { type Config, loadConfig } from '../config.js';
import { type MasterKey } from '../infrastructure/keys/master-key.js';
import {
  type ListedKey,
  newSigningKey,
  signingKeyTable,
} from '../infrastructure/keys/signing-keys.js';
import { kurrentEventStore } from '../infrastructure/kurrent/event-store.js';
import { createPool } from '../infrastructure/postgres/postgres.js';
import { runProgram } from './run-program.js';

type SigningKeys = ReturnType<typeof signingKeyTable>;

const USAGE = `npm run signing-keys -- list           the keys that access tokens are signed with
npm run signing-keys -- remove <kid>   what it signed stops being valid at once, in every process`;

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

const lineOf = ({ kid, signsFrom, isSigning }: ListedKey): string =>
  `${kid}  signs from ${signsFrom.toISOString()}${isSigning ? ', now' : ''}`;

type Place = Readonly<{ config: Config; masterKey: MasterKey; services: Services }>;

const recordRemoval = async (
  kid: string,
  { config, masterKey, services: { databaseUrl, eventStoreUrl } }: Place,
): Promise<void> => {
  const connection = connectEventStore(config, eventStoreUrl);
  try {
    await requireOneInstallation({ databaseUrl, connection, masterKey }, 'mark');
    await serviceEvents(kurrentEventStore(connection), (error) => {
      print(`Not recorded in the audit log: ${String(error)}`);
    }).signingKeyChanged({ keyId: kid, previousKeyId: null, cause: 'removed' });
  } finally {
    await connection.close();
  }
};

/** Whether there was such a key. */
const removed = async (kid: string, keys: SigningKeys, place: Place): Promise<boolean> => {
  const isGone = await keys.remove(kid, newSigningKey(place.masterKey.for('signing keys')));
  print(isGone ? `${kid} is removed.` : `There is no key ${kid}.`);
  if (isGone) await recordRemoval(kid, place);
  return isGone;
};

/** `kid`: of the key to remove; without one they are listed only. */
const run = async (kid?: string): Promise<number> => {
  const quiet = (): void => undefined;
  const config = loadConfig(process.env);
  const masterKey = await masterKeyOf(config);
  const log = { info: quiet, warn: quiet };
  const services = await provideServices(config, { log, joins: true, uses: { postgres: true } });
  await migrated(services.databaseUrl, masterKey);
  const pool = createPool({ url: services.databaseUrl, max: 1 });
  const keys = signingKeyTable(pool);
  try {
    const isDone = kid === undefined || (await removed(kid, keys, { config, masterKey, services }));
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

await runProgram('signing-keys', () => start(process.argv.slice(2)));

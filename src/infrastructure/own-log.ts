import { randomUUID } from 'node:crypto';
import { type Pool } from 'pg';
import { appendEvents, type EventStore, WrongRevision } from '../commands/streams/event-store.js';
import { type Event } from '../domain/decider.js';
import { type Metadata } from '../domain/recorded.js';
import { type EventLog } from '../projections/event-log.js';
import { type MasterKey } from './keys/master-key.js';
import { holdsReadModel } from './older-log.js';

/** It has no category: no projection, query or audit trail ever sees it. */
const STREAM = 'chronoflag-installation';

/** The installation that the log belongs to. The last one in the stream counts. `masterKeyDigest`: only its master key can make it. */
type InstallationMarked = Event<
  'InstallationMarked',
  Readonly<{ installationId: string; masterKeyDigest: string }>
>;

type Mark = InstallationMarked['data'];

/** The log is not known to be of this installation. The message says what to do. */
export class ForeignLog extends Error {
  override readonly name = 'ForeignLog';
}

const OTHER_MASTER_KEY =
  'the log in the event store (EVENTSTORE_URL, EVENTSTORE_PREFIX) is of an installation with another master key: ' +
  'give this one an EVENTSTORE_PREFIX of its own, or the MASTER_KEY of that one';
const OTHER_DATABASE =
  'Postgres (DATABASE_URL) does not belong to the log in the event store (EVENTSTORE_URL, EVENTSTORE_PREFIX): ' +
  'give both of the same installation, or an empty database';
const UNKNOWN_LOG =
  'the log in the event store has no mark of its installation and Postgres (DATABASE_URL) is empty: ' +
  'give this installation an EVENTSTORE_PREFIX of its own, or the database of that log; ' +
  'if the database is lost, take the log with `npm run projections -- rebuild --adopt-log`';

/** `look`: writes nothing. `mark`: marks what has no mark yet. `adopt`: marks the log whatever mark it has. */
export type MarkPolicy = 'look' | 'mark' | 'adopt';

export type OwnLogSources = Readonly<{
  pool: Pool;
  store: EventStore;
  log: EventLog;
  masterKey: MasterKey;
  /** What the mark is written with. */
  metadata: () => Metadata;
}>;

const digestOf = (masterKey: MasterKey, installationId: string): string =>
  masterKey.for('installation').digest(installationId).toString('hex');

const knownId = async (pool: Pool): Promise<string | undefined> => {
  const { rows } = await pool.query<{ id: string }>(
    'select i.installation_id as id from chronoflag.installation i where i.id = 1',
  );
  return rows[0]?.id;
};

const isEmpty = async ({ log }: OwnLogSources): Promise<boolean> => {
  const ends = new AbortController();
  try {
    for await (const { events, isCaughtUp } of log.subscribe(null, ends.signal)) {
      if (events.length > 0) return false;
      if (isCaughtUp) return true;
    }
  } finally {
    ends.abort();
  }
  throw new Error('The subscription to the event store ended.');
};

/** Why a database that knows no installation yet is refused. */
const refusalOfUnknown = async (
  sources: OwnLogSources,
  mark: Mark | undefined,
): Promise<string | undefined> => {
  const isHeld = await holdsReadModel(sources.pool, sources.log);
  if (isHeld !== undefined) return isHeld ? undefined : OTHER_DATABASE;
  return mark !== undefined || (await isEmpty(sources)) ? undefined : UNKNOWN_LOG;
};

type Found = Readonly<{ mark: Mark | undefined; revision: number; known: string | undefined }>;

/** Why the log is not to be used with this database and master key; undefined when it is. */
const refusalOf = async (
  sources: OwnLogSources,
  { mark, known }: Found,
): Promise<string | undefined> => {
  if (mark && mark.masterKeyDigest !== digestOf(sources.masterKey, mark.installationId))
    return OTHER_MASTER_KEY;
  if (known === undefined) return refusalOfUnknown(sources, mark);
  return known === mark?.installationId ? undefined : OTHER_DATABASE;
};

const remember = async (pool: Pool, installationId: string): Promise<void> => {
  await pool.query(
    'insert into chronoflag.installation (id, installation_id) values (1, $1) on conflict (id) do nothing',
    [installationId],
  );
  if ((await knownId(pool)) !== installationId) throw new ForeignLog(OTHER_DATABASE);
};

const find = async ({ store, pool }: OwnLogSources): Promise<Found> => {
  const { events, revision } = await store.read<InstallationMarked>(STREAM);
  return { mark: events.at(-1)?.data, revision, known: await knownId(pool) };
};

/** @throws WrongRevision when somebody else has just marked it */
const mark = async (
  { store, masterKey, metadata }: OwnLogSources,
  { revision, known: installationId = randomUUID() }: Found,
): Promise<string> => {
  const data = { installationId, masterKeyDigest: digestOf(masterKey, installationId) };
  const events = [{ type: 'InstallationMarked', data }] as const;
  await appendEvents(store, {
    ...{ stream: STREAM, events, expectedRevision: revision, metadata: metadata() },
  });
  return installationId;
};

/** @throws WrongRevision when the log was marked meanwhile, perhaps by a process that started with this one */
const attempt = async (sources: OwnLogSources, policy: MarkPolicy): Promise<void> => {
  const found = await find(sources);
  const refusal = await refusalOf(sources, found);
  if (refusal !== undefined && policy !== 'adopt') {
    const { revision } = await find(sources);
    throw revision === found.revision
      ? new ForeignLog(refusal)
      : new WrongRevision(found.revision, revision);
  }
  if (policy === 'look') return;
  const isMarked = found.mark !== undefined && refusal === undefined;
  await remember(sources.pool, isMarked ? found.mark.installationId : await mark(sources, found));
};

/**
 * Makes sure that log, database and master key are of one installation. `pool`: of a database that is migrated.
 * @throws ForeignLog
 */
export const requireOwnLog = async (sources: OwnLogSources, policy: MarkPolicy): Promise<void> => {
  for (;;) {
    try {
      await attempt(sources, policy);
      return;
    } catch (error) {
      if (!(error instanceof WrongRevision)) throw error;
    }
  }
};

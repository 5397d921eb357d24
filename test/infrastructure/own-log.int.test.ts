import { randomBytes, randomUUID } from 'node:crypto';
import { test, type Test } from 'tap';
import { kurrentEventLog } from '../../src/infrastructure/kurrent/event-log.js';
import { kurrentEventStore } from '../../src/infrastructure/kurrent/event-store.js';
import { loadMasterKey, type MasterKey } from '../../src/infrastructure/keys/master-key.js';
import { type MarkPolicy, requireOwnLog } from '../../src/infrastructure/own-log.js';
import { testDatabase } from '../support/database.js';
import { connectService } from '../support/event-store.js';
import { metadata } from '../support/metadata.js';

const newKey = (): Promise<MasterKey> =>
  loadMasterKey({ configured: randomBytes(32).toString('base64'), file: '' });

const newPrefix = (): string => `own_${randomBytes(6).toString('hex')}`;

const STREAM = 'project-default:demo';
const ROW = `insert into audit_event
  values (1, $1, 'project', '${STREAM}', 0, 'default', 'demo', null, null, 'ProjectRestored', 'ada', now(), '{}', '{}')`;

/** A log, all of whose streams have a prefix. */
const openLog = (t: Test, prefix = newPrefix()) => {
  const connection = connectService(t, undefined, { prefix });
  const store = kurrentEventStore(connection);
  return {
    ...{ prefix, store, log: kurrentEventLog(connection) },
    /** Writes one event, as a version did that knew no marks. @returns its id */
    write: async (): Promise<string> => {
      const id = randomUUID();
      const event = { type: 'ProjectRestored', data: {}, id } as const;
      const options = { expectedRevision: -1, metadata: metadata(id) };
      await store.append(STREAM, [event], options);
      return id;
    },
    marks: async () => (await store.read('chronoflag-installation')).events,
  };
};

type Log = ReturnType<typeof openLog>;
type Database = Awaited<ReturnType<typeof testDatabase>>;

const require = (
  { store, log }: Log,
  { pool }: Database,
  { masterKey, policy = 'mark' }: Readonly<{ masterKey: MasterKey; policy?: MarkPolicy }>,
): Promise<void> =>
  requireOwnLog(
    { ...{ pool, store, log, masterKey }, metadata: () => metadata(randomUUID()) },
    policy,
  );

const otherKey = {
  name: 'ForeignLog',
  message: /another master key: give this one an EVENTSTORE_PREFIX/,
};
const otherDatabase = { name: 'ForeignLog', message: /Postgres \(DATABASE_URL\) does not belong/ };
const unknownLog = { name: 'ForeignLog', message: /has no mark[^]*--adopt-log/ };

test('a log has one mark, however many first starts there are at once', async (t) => {
  const database = await testDatabase(t);
  const masterKey = await newKey();
  const prefix = newPrefix();
  const logs = Array.from({ length: 5 }, () => openLog(t, prefix));
  await Promise.all(logs.map((log) => require(log, database, { masterKey })));
  const [log] = logs;
  t.match(await log?.marks(), [{ type: 'InstallationMarked', data: { installationId: String } }]);
  t.equal((await log?.marks())?.length, 1);

  await t.test('an empty database is taken as its own by the master key', async (t) => {
    const empty = await testDatabase(t);
    for (const one of logs) await require(one, empty, { masterKey });
    t.equal((await log?.marks())?.length, 1);
  });
});

test('what belongs to another installation is refused, by every policy but one', async (t) => {
  const [mine, theirs] = [await testDatabase(t), await testDatabase(t)];
  const masterKey = await newKey();
  const [log, otherLog, emptyLog] = [openLog(t), openLog(t), openLog(t)];
  await require(log, mine, { masterKey });
  await require(otherLog, theirs, { masterKey });
  const empty = await testDatabase(t);
  const stranger = { masterKey: await newKey() };
  for (const policy of ['look', 'mark'] as const) {
    await t.rejects(require(log, empty, { ...stranger, policy }), otherKey);
    await t.rejects(require(log, theirs, { masterKey, policy }), otherDatabase);
    await t.rejects(require(emptyLog, mine, { masterKey, policy }), otherDatabase, 'wrong prefix');
  }
  t.equal((await log.marks()).length, 1);
  t.equal((await emptyLog.marks()).length, 0);
  await require(log, mine, { masterKey });

  await t.test('with a lost master key the log is taken, and the old one is refused', async (t) => {
    await require(log, empty, { ...stranger, policy: 'adopt' });
    await require(log, empty, stranger);
    await t.rejects(require(log, mine, { masterKey }), otherKey);
  });
});

test('a log of a version that knew no marks', async (t) => {
  const masterKey = await newKey();
  const log = openLog(t);
  const id = await log.write();

  await t.test('is refused to an empty database, and to that of another log', async (t) => {
    await t.rejects(require(log, await testDatabase(t), { masterKey }), unknownLog);
    const other = await testDatabase(t);
    await other.pool.query(ROW, [randomUUID()]);
    await t.rejects(require(log, other, { masterKey }), otherDatabase);
    t.equal((await log.marks()).length, 0);
  });

  await t.test('is marked when the read model comes from it', async (t) => {
    const database = await testDatabase(t);
    await database.pool.query(ROW, [id]);
    await require(log, database, { masterKey, policy: 'look' });
    t.equal((await log.marks()).length, 0);
    await require(log, database, { masterKey });
    t.equal((await log.marks()).length, 1);
  });

  await t.test('can be taken for an empty database', async (t) => {
    const lost = openLog(t);
    await lost.write();
    const database = await testDatabase(t);
    await require(lost, database, { masterKey, policy: 'adopt' });
    await require(lost, database, { masterKey });
  });
});

import { gunzipSync } from 'node:zlib';
import { test } from 'tap';
import { type EventStore } from '../../src/commands/streams/event-store.js';
import { openSnapshots } from '../../src/composition/snapshots.js';
import { snapshotTable } from '../../src/infrastructure/postgres/snapshot-table.js';
import { segmentStream } from '../../src/domain/streams.js';
import { type MasterKey } from '../../src/infrastructure/keys/master-key.js';
import { personalEventStore } from '../../src/infrastructure/personal-data/personal-event-store.js';
import { testDatabase } from '../support/database.js';
import { PROJECT_ID } from '../support/flags.js';
import { inMemoryEventStore } from '../support/in-memory-event-store.js';
import { metadata } from '../support/metadata.js';
import { anyMasterKey, personalDataOn } from '../support/personal-data.js';
import { until } from '../support/until.js';
import { processOn } from '../support/write-sides.js';

const ANN = 'ann.zebra@example.com';
const STREAM = segmentStream(PROJECT_ID, 'club');
const CLUB = { projectId: PROJECT_ID, segmentKey: 'club' };

test('snapshots of streams in Postgres', async (t) => {
  const { pool } = await testDatabase(t);
  const masterKey = await anyMasterKey();
  const sealed = inMemoryEventStore(2);
  const warnings: unknown[] = [];

  /** A process that has nothing in memory; `pages` are those that it reads. */
  const coldProcess = (key: MasterKey = masterKey) => {
    const personal = personalDataOn(pool, masterKey);
    const store = personalEventStore(sealed, personal);
    const pages: number[] = [];
    const watched: EventStore = {
      ...store,
      readPage: (stream, from) => {
        if (stream === STREAM) pages.push(from);
        return store.readPage(stream, from);
      },
    };
    const log = { warn: (_: unknown, message: unknown) => warnings.push(message) } as never;
    const opened = openSnapshots({ pool, masterKey: key, sealed, personal, log });
    return { ...processOn(watched, opened.snapshots), ...opened, pages };
  };
  const add = (included: readonly string[]) =>
    coldProcess().segment({ type: 'AddSegmentKeys', data: { ...CLUB, included, excluded: [] } });
  const remove = (keys: readonly string[]) =>
    coldProcess().segment({ type: 'RemoveSegmentKeys', data: { ...CLUB, keys } });
  const bodyOf = async (stream = STREAM): Promise<Buffer | undefined> => {
    const { rows } = await pool.query<{ body: Buffer }>(
      'select s.body from chronoflag.stream_snapshot s where s.stream = $1',
      [stream],
    );
    return rows[0]?.body;
  };
  const putBody = (body: Buffer) =>
    pool.query('update chronoflag.stream_snapshot set body = $2 where stream = $1', [STREAM, body]);
  const take = async (stream = STREAM): Promise<Buffer> => {
    const before = await bodyOf(stream);
    const { snapshots, stop } = coldProcess();
    snapshots.take(stream);
    await until(
      'it is taken',
      async () => (await bodyOf(stream))?.equals(before ?? Buffer.of()) === false,
    );
    await stop();
    return (await bodyOf(stream)) ?? Buffer.of();
  };
  const plainOf = (body: Buffer): string =>
    gunzipSync(masterKey.for('snapshots of streams').unwrap(body, STREAM)).toString();
  /** What a command that changes nothing sees, and the pages that it has to read. */
  const seenBy = async (on: ReturnType<typeof coldProcess>) => {
    const data = { ...CLUB, included: [], excluded: ['x'] };
    const outcome = await on.segment({ type: 'AddSegmentKeys', data }, { dryRun: true });
    if (outcome.before.status === 'absent') throw new Error('There is no segment.');
    return { included: outcome.before.included, pages: on.pages };
  };

  const first = coldProcess();
  await first.createProject();
  await first.createSegment('club');
  for (const key of ['bob', ANN, 'carl', 'dora', 'erik', 'fred']) await add([key]);
  const body = await take();

  await t.test('a person is in it as in the log, and commands see who it is', async (t) => {
    t.match(plainOf(body), /"included":\["pd1:/);
    t.notMatch(plainOf(body), ANN);
    const { included, pages } = await seenBy(coldProcess());
    t.strictSame(included, ['bob', ANN, 'carl', 'dora', 'erik', 'fred']);
    t.strictSame(pages.slice(0, 2), [0, 6]);
  });

  await t.test('one that is damaged, forged or foreign is not used', async (t) => {
    const altered = Buffer.from(body);
    altered.writeUInt8(altered.readUInt8(60) ^ 1, 60);
    const wrap = (key: MasterKey, stream: string) => {
      const plain = masterKey.for('snapshots of streams').unwrap(body, STREAM);
      return key.for('snapshots of streams').wrap(plain, stream);
    };
    const misfits = {
      altered,
      'cut off': body.subarray(0, 200),
      empty: Buffer.alloc(0),
      'of another stream': wrap(masterKey, segmentStream(PROJECT_ID, 'other')),
      'of another installation': wrap(await anyMasterKey(), STREAM),
      'not what it should be': masterKey.for('snapshots of streams').wrap(Buffer.from('x'), STREAM),
    };
    for (const [what, misfit] of Object.entries(misfits)) {
      await putBody(misfit);
      warnings.length = 0;
      const { included, pages } = await seenBy(coldProcess());
      t.equal(included.length, 6, what);
      t.strictSame(pages.slice(0, 3), [0, 2, 4], what);
      t.strictSame([...new Set(warnings)], ['a snapshot of a stream cannot be used'], what);
    }
    await putBody(body);
    t.strictSame((await seenBy(coldProcess())).pages.slice(0, 2), [0, 6]);
  });

  await t.test('it is taken anew when the one that is there cannot be used', async (t) => {
    await putBody(Buffer.alloc(100));
    t.match(plainOf(await take()), /"included":\["pd1:/);
  });

  await t.test('whoever is erased is not in it any more', async (t) => {
    const [, subjectId] = /"included":\["pd1:[^"]*","pd1:(.{8})/.exec(plainOf(body)) ?? [];
    await pool.query(
      `update chronoflag.personal_subject
          set wrapped_key = null, lookup = null, erased_at = now() - interval '2 minutes', erasure = 1
        where subject_id = $1`,
      [subjectId],
    );
    const { included } = await seenBy(coldProcess());
    t.match(included, ['bob', /^erased:.{8}$/, 'carl']);
    await remove(included.slice(1, 3));
    await take();
    t.strictSame((await seenBy(coldProcess())).included, ['bob', 'dora', 'erik', 'fred']);
    t.equal(plainOf((await bodyOf()) ?? body).match(/pd1:/g)?.length, 4);
  });

  await t.test('a stream with a name that was written before sealing gets none', async (t) => {
    const stream = segmentStream(PROJECT_ID, 'old');
    const content = {
      projectId: PROJECT_ID,
      key: 'old',
      name: '',
      description: '',
      tags: [],
      rules: [],
    };
    const data = { ...content, included: [ANN], excluded: [] };
    const event = { type: 'SegmentCreated', data, id: 'event-0' } as const;
    await sealed.append(stream, [event], { expectedRevision: -1, metadata: metadata('c0') });
    const { snapshots, stop } = coldProcess();
    const before = await bodyOf();
    snapshots.take(stream);
    snapshots.take(STREAM);
    await until(
      'the next is taken',
      async () => (await bodyOf())?.equals(before ?? body) === false,
    );
    await stop();
    t.equal(await bodyOf(stream), undefined);
  });

  await t.test('a position that no double holds is kept', async (t) => {
    const table = snapshotTable(pool, masterKey, (error) => {
      throw error;
    });
    const place = { foldVersion: 1, revision: 0, position: 2n ** 62n + 1n, eventId: 'id' };
    const snapshot = { ...place, state: {}, commands: new BigUint64Array(1) };
    await table.save('segment-far', snapshot);
    t.strictSame(await table.load('segment-far'), snapshot);
  });
});

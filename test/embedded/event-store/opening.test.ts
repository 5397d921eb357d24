import {
  chmodSync,
  copyFileSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import { lockFolder } from '../../../src/embedded/event-store/storage/directory.js';
import { startEventStore } from '../../../src/embedded/event-store/start.js';
import { buildEventStore, spawnStore } from '../../support/event-store-process.js';
import { collect, event, startStore, temporaryFolder } from '../../support/event-store.js';

const EVENTS = 60;
const WAL_HEADER_BYTES = 32;
const WAL_FRAME_BYTES = 24 + 4096;

/** What a store leaves behind that is killed after EVENTS appends of one event. */
const killedLog = async (t: Test): Promise<{ folder: string; wal: string }> => {
  const { client, folder } = await startStore(t);
  for (let n = 0; n < EVENTS; n++) await client.appendToStream('s', event('X', n));
  const copy = temporaryFolder(t);
  for (const name of ['events.db', 'events.db-wal'])
    copyFileSync(join(folder, name), join(copy, name));
  return { folder: copy, wal: join(copy, 'events.db-wal') };
};

const countAfterStart = async (t: Test, folder: string): Promise<number> => {
  const { client, store } = await startStore(t, folder);
  const { length } = await collect(client.readStream('s'));
  await store.close();
  return length;
};

test('a write-ahead log that a killed process left', async (t) => {
  await t.test('is taken over whole', async (t) => {
    const { folder } = await killedLog(t);
    t.equal(await countAfterStart(t, folder), EVENTS);
  });

  await t.test('loses only the last transaction when its tail is torn', async (t) => {
    const { folder, wal } = await killedLog(t);
    truncateSync(wal, readFileSync(wal).length - 100);
    t.equal(await countAfterStart(t, folder), EVENTS - 1);
  });

  const DAMAGES: Record<string, (bytes: Buffer) => void> = {
    'one bit of a page': (bytes) => {
      const at = WAL_HEADER_BYTES + 20 * WAL_FRAME_BYTES + 2000;
      bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    },
    'one bit of the head of a page': (bytes) => {
      const at = WAL_HEADER_BYTES + 30 * WAL_FRAME_BYTES + 10;
      bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    },
    '512 bytes across two pages': (bytes) => {
      const at = WAL_HEADER_BYTES + 40 * WAL_FRAME_BYTES - 256;
      bytes.fill(0, at, at + 512);
    },
    'its own head': (bytes) => {
      bytes.fill(0, 0, WAL_HEADER_BYTES);
    },
  };
  for (const [name, damage] of Object.entries(DAMAGES))
    await t.test(`is refused and left as it is when ${name} is damaged`, async (t) => {
      const { folder, wal } = await killedLog(t);
      const bytes = readFileSync(wal);
      damage(bytes);
      writeFileSync(wal, bytes);
      await t.rejects(startEventStore({ folder, port: 0 }), {
        name: 'StorageError',
        message: /events\.db-wal is damaged at byte \d+/,
      });
      t.ok(readFileSync(wal).equals(bytes));
      t.strictSame(readdirSync(folder).sort(), ['events.db', 'events.db-wal']);
    });

  await t.test('is taken over up to the damage when it is cut there', async (t) => {
    const { folder, wal } = await killedLog(t);
    truncateSync(wal, WAL_HEADER_BYTES + 20 * WAL_FRAME_BYTES);
    const count = await countAfterStart(t, folder);
    t.ok(count > 0 && count < EVENTS, `${count} events`);
  });
});

test('a directory that another store has locked is not touched', async (t) => {
  const folder = temporaryFolder(t);
  const unlock = lockFolder(folder);
  const main = await buildEventStore(t);
  const { code, stderr } = await spawnStore(t, main, ['--port', '0', '--db', folder]).ended;
  t.equal(code, 1);
  t.match(stderr, /^event store: [^\n]+ is in use by another event store\. [^\n]+\n$/);
  t.strictSame(readdirSync(folder), ['events.lock']);
  unlock();
  t.strictSame(readdirSync(folder), []);

  const stores = Array.from({ length: 3 }, () =>
    spawnStore(t, main, ['--port', '0', '--db', folder]),
  );
  const started = await Promise.allSettled(stores.map(({ ready }) => ready));
  t.equal(started.filter(({ status }) => status === 'fulfilled').length, 1, 'one of three starts');
  for (const [index, { status }] of started.entries()) {
    if (status === 'fulfilled') stores[index]?.process.kill('SIGTERM');
    const ended = await stores[index]?.ended;
    t.match(ended?.stderr, status === 'fulfilled' ? /^$/ : /is in use by another event store/);
  }
});

test('what is in the way of a start is named', async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'file');
  writeFileSync(file, '');
  const fails = (options: { folder: string; socket?: string }, message: RegExp) =>
    t.rejects(startEventStore({ port: 0, ...options }), { name: 'StorageError', message });

  await fails({ folder: file }, /file is not a directory/);
  if (process.platform === 'linux')
    await fails({ folder: '/proc/nope' }, /\/proc\/nope cannot be opened for writing: ENOENT/);
  const db = join(folder, 'db');
  await fails({ folder: db, socket: `/tmp/${'s'.repeat(120)}` }, /longer than \d+ bytes.*--socket/);
  await fails({ folder: db, socket: join(folder, 'not', 'there') }, /the socket .*--socket/);

  const { store } = await startStore(t, db);
  await store.close();
  const log = join(db, 'events.db');
  const before = readFileSync(log);
  chmodSync(db, 0o555);
  t.teardown(() => {
    chmodSync(db, 0o755);
  });
  if (process.getuid?.() !== 0) await fails({ folder: db }, /cannot be opened for writing: EACCES/);
  t.ok(readFileSync(log).equals(before), 'and nothing was changed');
});

import {
  closeSync,
  cpSync,
  openSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import { startEventStore } from '../../../src/embedded/event-store/start.js';
import { buildEventStore, spawnStore } from '../../support/event-store-process.js';
import {
  collect,
  connect,
  event,
  events,
  record,
  startStore,
  temporaryFolder,
} from '../../support/event-store.js';
import { freePort } from '../../support/free-port.js';

const oneLine = /^event store: [^\n]+\n$/;

/** Starts a server that must give up; its exit code and one line of explanation. */
const refused = async (t: Test, main: string, args: readonly string[]) => {
  const { code, stdout, stderr } = await spawnStore(t, main, args).ended;
  t.equal(stdout, '');
  t.match(stderr, oneLine, 'one line on stderr');
  return { code, stderr };
};

test('the process', async (t) => {
  const main = await buildEventStore(t);
  const portArgs = async () => ['--port', `${await freePort()}`];

  await t.test('says where it listens and serves there', async (t) => {
    const port = await freePort();
    const db = join(temporaryFolder(t), 'not', 'there', 'yet');
    const store = spawnStore(t, main, ['--port', `${port}`, '--db', db]);
    const url = `esdb://127.0.0.1:${port}?tls=false`;
    t.equal(await store.ready, `event store listening on ${url}`);
    await connect(t, url).appendToStream('s', event('X'));
    store.process.kill('SIGTERM');
    const { code, stdout, stderr } = await store.ended;
    t.strictSame({ code, stderr }, { code: 0, stderr: '' });
    t.equal(stdout.split('\n').length, 2, 'exactly one line');
    t.strictSame(readdirSync(db), ['events.db'], 'the log is one file after a clean stop');
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    await t.test(`stops on ${signal} with subscriptions open, and keeps everything`, async (t) => {
      const db = temporaryFolder(t);
      const store = spawnStore(t, main, ['--db', db, ...(await portArgs())]);
      const url = (await store.ready).split(' ').at(-1) ?? '';
      const client = connect(t, url);
      const { until } = record(t, client.subscribeToAll());
      await client.appendToStream('s', events('X', 10));
      await until((seen) => seen.includes('caught up'));
      store.process.kill(signal);
      t.equal((await store.ended).code, 0);
      const { client: later } = await startStore(t, db);
      t.equal((await collect(later.readStream('s'))).length, 10);
    });

  await t.test('refuses bad options with exit code 2', async (t) => {
    const db = temporaryFolder(t);
    const cases = [
      [[], '--db'],
      [['--db', db, '--port', 'x'], '--port'],
      [['--db', db, '--port', '70000'], '--port'],
      [['--db', db, '--nonsense'], '--nonsense'],
      [['--db', db, '--host', '0.0.0.0'], '--insecure-allow-remote'],
    ] as const;
    for (const [args, about] of cases) {
      const { code, stderr } = await refused(t, main, args);
      t.equal(code, 2);
      t.match(stderr, about);
    }
    t.strictSame(readdirSync(db), [], 'nothing was created');
  });

  await t.test('refuses a port that is taken', async (t) => {
    const port = await freePort();
    const other = createServer().listen(port, '127.0.0.1');
    t.teardown(() => other.close());
    await once(other, 'listening');
    const { code, stderr } = await refused(t, main, [
      '--port',
      `${port}`,
      '--db',
      temporaryFolder(t),
    ]);
    t.equal(code, 1);
    t.match(stderr, /--port/);
  });

  await t.test(
    'refuses a directory another process has open, until that one is killed',
    async (t) => {
      const db = temporaryFolder(t);
      const first = spawnStore(t, main, ['--db', db, ...(await portArgs())]);
      await first.ready;
      const { code, stderr } = await refused(t, main, ['--db', db, ...(await portArgs())]);
      t.equal(code, 1);
      t.match(stderr, /in use by another event store/);
      first.process.kill('SIGKILL');
      await first.ended;
      const second = spawnStore(t, main, ['--db', db, ...(await portArgs())]);
      t.match(await second.ready, /listening/);
    },
  );
});

/** The log of a store that has been used and stopped. */
const usedLog = async (t: Test): Promise<string> => {
  const { client, store, folder } = await startStore(t);
  for (let n = 0; n < 20; n++)
    await client.appendToStream(`s-${n}`, events('SomethingHappened', 10));
  await store.close();
  return join(folder, 'events.db');
};

const overwrite = (file: string, at: number, bytes: Buffer): void => {
  const descriptor = openSync(file, 'r+');
  writeSync(descriptor, bytes, 0, bytes.length, at);
  closeSync(descriptor);
};

const bigEndian = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

const DAMAGES: Record<string, readonly [damage: (file: string) => void, message: RegExp]> = {
  'cut short': [
    (file) => {
      truncateSync(file, readFileSync(file).length - 4096);
    },
    /damaged.*long instead of/,
  ],
  'cut in the middle': [
    (file) => {
      truncateSync(file, 10_000);
    },
    /damaged/,
  ],
  empty: [
    (file) => {
      writeFileSync(file, '');
    },
    /damaged/,
  ],
  'not a database': [
    (file) => {
      writeFileSync(file, 'hello '.repeat(1000));
    },
    /damaged/,
  ],
  'a database of something else': [
    (file) => {
      overwrite(file, 68, bigEndian(1));
    },
    /not an event log/,
  ],
  'of a newer format': [
    (file) => {
      overwrite(file, 60, bigEndian(99));
    },
    /format 99.*newer version/,
  ],
  'overwritten with zeros in its pages': [
    (file) => {
      overwrite(file, 20_000, Buffer.alloc(3000));
    },
    /damaged/,
  ],
  'changed in one event': [
    (file) => {
      const at = readFileSync(file).lastIndexOf('SomethingHappened');
      overwrite(file, at + 3, Buffer.from('X'));
    },
    /damaged/,
  ],
};

for (const [name, [damage, message]] of Object.entries(DAMAGES))
  test(`a log that is ${name} is refused and left as it is`, async (t) => {
    const file = await usedLog(t);
    damage(file);
    const before = readFileSync(file);
    const folder = join(file, '..');
    const copy = temporaryFolder(t);
    cpSync(folder, copy, { recursive: true });
    await t.rejects(startEventStore({ folder, port: await freePort() }), {
      name: 'StorageError',
      message,
    });
    t.ok(readFileSync(file).equals(before), 'not a byte was changed');
    t.strictSame(readdirSync(folder), readdirSync(copy), 'and no file added');
  });

test('a half-made new log is made again', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'events.db.new'), 'half');
  const { client } = await startStore(t, folder);
  await client.appendToStream('s', event('X'));
  t.equal((await collect(client.readStream('s'))).length, 1);
});

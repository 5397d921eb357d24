import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { jsonEvent } from '@eventstore/db-client';
import { test, type Test } from 'tap';
import {
  appendUntilGone,
  findAll,
  flawsOf,
  type Acknowledged,
} from '../../support/acknowledged.js';
import {
  buildEventStore,
  spawnStore,
  type StoreProcess,
} from '../../support/event-store-process.js';
import {
  collect,
  connect,
  events,
  record,
  rejection,
  startStore,
  temporaryFolder,
} from '../../support/event-store.js';

const WORKERS = 8;
const INTERNAL = 13;
const RESOURCE_EXHAUSTED = 8;

const urlOf = async ({ ready }: StoreProcess): Promise<string> =>
  (await ready).split(' ').at(-1) ?? '';

/** Appends until writers are refused, and compares what was acknowledged with what can be read. */
const fill = async (t: Test, url: string): Promise<Acknowledged[]> => {
  const client = connect(t, url);
  const acknowledged: Acknowledged[] = [];
  await Promise.all(
    Array.from({ length: WORKERS }, (_, worker) =>
      appendUntilGone(client, `w${worker}`, (events) => acknowledged.push(...events)),
    ),
  );
  t.ok(acknowledged.length > 0);
  t.strictSame(flawsOf(acknowledged, await findAll(client)), [], 'reads go on');
  return acknowledged;
};

const hasPrlimit = spawnSync('prlimit', ['--version']).status === 0;

test('a store that cannot write', async (t) => {
  const main = await buildEventStore(t);
  const db = temporaryFolder(t);
  const args = ['--port', '0', '--db', db];

  await t.test('says why to writers, serves reads and stops well', async (t) => {
    const store = spawnStore(t, main, args, { fileLimitKb: 1500 });
    const url = await urlOf(store);
    const client = connect(t, url);
    const acknowledged = await fill(t, url);

    const large = events('Large', 300);
    const error = await rejection(client.appendToStream('s', large));
    t.equal(error['code'], INTERNAL);
    t.match(error['message'], /was not stored, because the disk of the event store fails/);
    const again = await rejection(client.appendToStream('s', large));
    t.match(again['message'], /was not stored/, 'and goes on saying so');
    t.equal((await rejection(collect(client.readStream('s'))))['type'], 'stream-not-found');
    const subscribed = record(t, client.subscribeToAll());
    await subscribed.until((seen) => seen.at(-1) === 'caught up');

    store.process.kill('SIGTERM');
    const { code, stderr } = await store.ended;
    t.equal(code, 0);
    t.match(stderr, /^event store: The event was not stored, [^\n]+ Writers get this answer/);

    const { client: later, store: restarted } = await startStore(t, db);
    t.strictSame(flawsOf(acknowledged, await findAll(later)), [], 'nothing is lost');
    await restarted.close();
  });

  await t.test('goes on by itself when it can write again', { skip: !hasPrlimit }, async (t) => {
    const folder = temporaryFolder(t);
    const store = spawnStore(t, main, ['--port', '0', '--db', folder], { fileLimitKb: 1500 });
    const url = await urlOf(store);
    const acknowledged = await fill(t, url);
    const client = connect(t, url);
    const batch = events('Large', 300);
    t.match((await rejection(client.appendToStream('t', batch)))['message'], /was not stored/);
    execFileSync('prlimit', ['--pid', `${store.process.pid}`, '--fsize=unlimited:']);
    const { nextExpectedRevision } = await client.appendToStream('t', batch, {
      expectedRevision: 'no_stream',
    });
    t.equal(nextExpectedRevision, 299n);
    t.equal((await collect(client.readStream('t'))).length, 300);
    t.strictSame(flawsOf(acknowledged, await findAll(client)), []);
    store.process.kill('SIGTERM');
    const { code, stderr } = await store.ended;
    t.equal(code, 0);
    t.match(stderr, /The log is written again\.\n$/);
    t.strictSame(readdirSync(folder), ['events.db']);
  });
});

const MIB = 1024 * 1024;

/** Appends a MiB as often as that. */
const append = async (url: string, t: Test, [stream, count]: readonly [string, number]) => {
  const client = connect(t, url);
  const data = { text: 'x'.repeat(MIB - 200) };
  for (let nth = 0; nth < count; nth += 1)
    await client.appendToStream(stream, jsonEvent({ type: 'Large', data }));
};

test('a write-ahead log that cannot be moved into the file is told of', async (t) => {
  const main = await buildEventStore(t);
  const db = temporaryFolder(t);
  const { store: full } = await startStore(t, db);
  await append(full.url, t, ['before', 60]);
  await full.close();
  // The file is longer than it may get, so nothing can be written at its end; the write-ahead log still can.
  const store = spawnStore(t, main, ['--port', '0', '--db', db], { fileLimitKb: 50_000 });
  await append(await urlOf(store), t, ['after', 36]);
  store.process.kill('SIGTERM');
  const { stderr } = await store.ended;
  t.match(
    stderr,
    /events\.db-wal grows and is \d\d MB long, because .*events\.db cannot be written/,
  );
  t.equal(stderr.split('grows and is').length, 2, 'once');
  const { client } = await startStore(t, db);
  t.equal((await collect(client.readStream('after'))).length, 36, 'and nothing is lost');
});

/** A file system of 2 MB that can be made larger; undefined where this process may not mount one. */
const smallDisk = (t: Test): string | undefined => {
  const folder = temporaryFolder(t);
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'none', folder]);
  if (status !== 0) return undefined;
  t.teardown(() => execFileSync('umount', ['--lazy', folder]));
  return folder;
};

const isLong = process.env['FAULTS'] === 'long';

test('a store on a full disk', { skip: !isLong }, async (t) => {
  const db = smallDisk(t);
  if (db === undefined) {
    t.comment('no file system may be mounted here');
    return;
  }
  const main = await buildEventStore(t);
  const args = ['--port', '0', '--db', db];
  const store = spawnStore(t, main, args);
  const url = await urlOf(store);
  const acknowledged = await fill(t, url);
  const error = await rejection(connect(t, url).appendToStream('s', events('Large', 300)));
  t.equal(error['code'], RESOURCE_EXHAUSTED);
  t.match(error['message'], /no room on the disk of the event store/);
  store.process.kill('SIGTERM');
  const { code, stderr } = await store.ended;
  t.equal(code, 0);
  t.match(stderr, /Nothing is lost; keep both files/);

  execFileSync('mount', ['-o', 'remount,size=20m', db]);
  const { client } = await startStore(t, db);
  t.strictSame(flawsOf(acknowledged, await findAll(client)), []);
  await client.appendToStream('s', events('Large', 300));
});

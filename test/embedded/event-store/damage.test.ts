import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { jsonEvent } from '@eventstore/db-client';
import { test, type Test } from 'tap';
import { StorageError } from '../../../src/embedded/event-store/storage/schema.js';
import { everyReading, wrongReadings, type Reading } from '../../support/event-store-readings.js';
import { event, events, startStore, temporaryFolder } from '../../support/event-store.js';
import { editLog } from '../../support/forged-log.js';

const STREAMS = ['first', 'long', 'a'];
const DATA_LOSS = 15;
const isLong = process.env['FAULTS'] === 'long';

/** A stopped log of several hundred events, and all that can be read of it. */
const usedLog = async (t: Test): Promise<{ file: string; right: Map<string, Reading> }> => {
  const { client, store, folder } = await startStore(t);
  await client.appendToStream('first', events('SomethingHappened', 3));
  for (let round = 0; round < 12; round++) {
    await client.appendToStream('long', events('SomethingHappened', 30));
    for (const stream of ['a', 'b'])
      await client.appendToStream(stream, events('OtherHappened', 2));
  }
  const right = await everyReading(client, STREAMS);
  await store.close();
  return { file: join(folder, 'events.db'), right };
};

const PAGE_BYTES = 4096;
const LEAF_OF_TABLE = 13;
const LEAF_OF_INDEX = 10;
const CELL_COUNT = 3;
const CELL_POINTERS = 8;

/** Where the leaves of tables and indexes with several entries begin. Source: the SQLite file format, section 1.6. */
const leafPages = (bytes: Buffer): number[] =>
  Array.from({ length: bytes.length / PAGE_BYTES - 1 }, (_, n) => (n + 1) * PAGE_BYTES).filter(
    (page) =>
      [LEAF_OF_TABLE, LEAF_OF_INDEX].includes(bytes.readUInt8(page)) &&
      bytes.readUInt16BE(page + CELL_COUNT) > 4,
  );

/** Changes of a few bytes that leave a page which SQLite reads without complaint. */
const PAGE_DAMAGES: Record<string, (bytes: Buffer, page: number) => void> = {
  'a page has lost an entry': (bytes, page) => {
    const count = bytes.readUInt16BE(page + CELL_COUNT);
    const second = page + CELL_POINTERS + 2;
    bytes.copyWithin(second, second + 2, page + CELL_POINTERS + 2 * count);
    bytes.writeUInt16BE(count - 1, page + CELL_COUNT);
  },
  'a page has an entry twice and another not at all': (bytes, page) => {
    bytes.copyWithin(page + CELL_POINTERS + 4, page + CELL_POINTERS + 2, page + CELL_POINTERS + 4);
  },
  'a page has an entry with another key': (bytes, page) => {
    const cell = page + bytes.readUInt16BE(page + CELL_POINTERS + 2);
    bytes.writeUInt8(bytes.readUInt8(cell + 3) ^ 0x40, cell + 3);
  },
};

/** What can be read of a damaged copy, started as a large log whose old events are not verified; nothing when refused. */
const readDamaged = async (t: Test, file: string, damage: (file: string) => void) => {
  const folder = temporaryFolder(t);
  copyFileSync(file, join(folder, 'events.db'));
  damage(join(folder, 'events.db'));
  const started = await startStore(t, folder, { check: false }).catch((error: unknown) => {
    if (error instanceof StorageError && error.fault === 'damaged') return undefined;
    throw error;
  });
  if (!started) return new Map<string, Reading>();
  const { client, store } = started;
  const actual = await everyReading(client, STREAMS);
  await client.dispose();
  await store.close();
  return actual;
};

const LONG = "stream = (select id from streams where name = 'long')";

/** Statements that leave the file a sound database which is no longer the log that was written. */
const EDITS = {
  'lacks an event': `delete from events where revision = 100 and ${LONG}`,
  'lacks the first events of a stream': `delete from events where revision < 5 and ${LONG}`,
  'has an event at another revision': `update events set revision = 100000 where revision = 100 and ${LONG}`,
  'has an event at another position': `update events set position = position + 1 where revision = 100 and ${LONG}`,
  'has an event in another stream': `update events
    set stream = (select id from streams where name = 'first'), revision = 777 where revision = 100 and ${LONG}`,
  'has an event of another type': `update events set type = 'Nothing' where revision = 100`,
  'has a stream of another name': `update streams set name = 'z' where name = 'first'`,
  'has an event with a type that is no text': `update events set type = cast(x'ff' as text) where revision = 100`,
  'has a stream of another name that is no text': `update streams set name = cast(x'ff' as text) where name = 'first'`,
  'has an event of another time': 'update events set created = 5 where revision = 100',
  'has an event with another id': 'update events set id = zeroblob(16) where revision = 100',
  'has an event with other bytes': `update events set frame = zeroblob(length(frame)) where revision = 100`,
  'has text where a number was': `update events set crc = crc + 1 where revision = 100`,
};

test('a damaged log that was verified in part only', async (t) => {
  const { file, right } = await usedLog(t);

  for (const [name, sql] of Object.entries(EDITS))
    await t.test(`and ${name} answers with DATA_LOSS, never with less`, async (t) => {
      const actual = await readDamaged(t, file, (copy) => {
        editLog(dirname(copy), sql);
      });
      const { wrong } = wrongReadings(right, actual);
      const isRenamed = (line: string) => name.includes('another name') && line.startsWith('first');
      t.strictSame(
        wrong.filter((line) => !isRenamed(line)),
        [],
      );
      t.ok(actual.size > 0, 'it starts');
      for (const all of ['$all', '$all backwards', '$all subscribed', '$all filtered'])
        t.ok(actual.get(all) === DATA_LOSS, all);
    });

  for (const [name, damage] of Object.entries(PAGE_DAMAGES))
    await t.test(`answers with DATA_LOSS, never with less, where ${name}`, async (t) => {
      let refused = 0;
      const pages = leafPages(readFileSync(file));
      for (const page of pages.filter((_, n) => isLong || n % 8 === 2)) {
        const actual = await readDamaged(t, file, (copy) => {
          const bytes = readFileSync(copy);
          damage(bytes, page);
          writeFileSync(copy, bytes);
        });
        const { wrong, refused: here } = wrongReadings(right, actual);
        t.strictSame(wrong, [], `page at ${page}`);
        refused += actual.size === 0 ? 1 : here;
      }
      t.ok(refused > 0, `${refused} reads met it`);
    });
});

test('an event larger than a page of the log stands in the way of no read', async (t) => {
  const { client } = await startStore(t);
  const large = jsonEvent({ type: 'Large', data: { text: 'x'.repeat(1_000_000) } });
  await client.appendToStream('s', [event('Before')]);
  await client.appendToStream('s', [large]);
  await client.appendToStream('s', [event('After')]);
  const types = (reading: Reading | undefined) =>
    Array.isArray(reading) ? reading.map((line: string) => line.split(' ').at(-1)) : reading;
  const readings = await everyReading(client, ['s']);
  for (const name of ['$all', '$all subscribed', '$all filtered'])
    t.strictSame(types(readings.get(name)), ['$metadata', 'Before', 'Large', 'After'], name);
  t.strictSame(types(readings.get('$all backwards')), ['After', 'Large', 'Before', '$metadata']);
  for (const name of ['s', 's subscribed'])
    t.strictSame(types(readings.get(name)), ['Before', 'Large', 'After'], name);
});

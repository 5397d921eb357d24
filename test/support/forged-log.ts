import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import Libsql from 'libsql';
import {
  type Blob,
  bufferOf,
  FIRST_POSITION,
  LOG_FILE,
} from '../../src/embedded/event-store/storage/schema.js';
import { encodeFrame, type PlacedEvent } from '../../src/embedded/event-store/wire/frame.js';
import { fieldOf } from '../../src/embedded/event-store/wire/protobuf.js';

/** An event of a log that is being forged: revision and position are given anew when it is written. */
export type ForgedEvent = Omit<PlacedEvent, 'revision' | 'position'>;

type Row = Readonly<{
  stream: string;
  id: Blob;
  type: string;
  created: number;
  frame: Blob;
}>;

const uuidOf = (hex: string): string =>
  hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

const partOf = (frame: Blob, number: number): Buffer => {
  const read = fieldOf(bufferOf(frame), 1)!.bytes;
  return fieldOf(fieldOf(read, 1)!.bytes, number)?.bytes ?? Buffer.alloc(0);
};

const eventOf = ({ stream, id, type, created, frame }: Row): ForgedEvent => ({
  stream,
  id: uuidOf(bufferOf(id).toString('hex')),
  type,
  createdMs: created,
  isJson: true,
  data: partOf(frame, 8),
  metadata: partOf(frame, 7),
});

const readAll = (db: Libsql.Database): ForgedEvent[] =>
  (
    db
      .prepare(
        `select s.name as stream, e.id, e.type, e.created, e.frame
           from events e join streams s on s.id = e.stream
          order by e.position`,
      )
      .all() as Row[]
  ).map(eventOf);

const writeAll = (db: Libsql.Database, events: readonly ForgedEvent[]): void => {
  const addStream = db.prepare('insert or ignore into streams (name) values (?)');
  const add = db.prepare(
    `insert into events (position, stream, revision, id, type, created, crc, frame)
     values (?, (select id from streams where name = ?), ?, ?, ?, ?, ?, ?)`,
  );
  const revisions = new Map<string, number>();
  let position = FIRST_POSITION;
  for (const event of events) {
    const { stream, id, type, createdMs } = event;
    const revision = (revisions.get(stream) ?? -1) + 1;
    revisions.set(stream, revision);
    const frame = encodeFrame({ ...event, revision, position });
    addStream.run([stream]);
    const rawId = Buffer.from(id.replaceAll('-', ''), 'hex');
    add.run([position, stream, revision, rawId, type, createdMs, crc32(frame), frame]);
    position += frame.byteLength;
  }
};

/**
 * Rewrites the log of a stopped embedded store as one who knows its format would: checksums, revisions and positions
 * are right again afterwards, so that the store itself notices nothing.
 */
export const forgeLog = (
  folder: string,
  change: (events: readonly ForgedEvent[]) => readonly ForgedEvent[],
): void => {
  const db = new Libsql(join(folder, LOG_FILE));
  const changed = change(readAll(db));
  db.exec('delete from events');
  writeAll(db, changed);
  db.exec('delete from streams where id not in (select e.stream from events e)');
  db.close();
};

/** Runs SQL in the file of a stopped embedded store, as one who does not know its format would. */
export const editLog = (folder: string, sql: string): void => {
  const db = new Libsql(join(folder, LOG_FILE));
  db.exec(`pragma foreign_keys = off; ${sql}`);
  db.close();
};

import { crc32 } from 'node:zlib';
import { isFrameOf } from '../wire/frame.js';
import { hyphenated } from '../wire/requests.js';
import { type Blob, bufferOf, lost, rowsOf, type Statement } from './schema.js';

/**
 * The columns of an event without its frame, of `events e join streams s on s.id = e.stream`. Damage can give a column
 * another type, and libsql ends the process when it meets text that is no UTF-8; so no column is read as text.
 */
export const HEAD_COLUMNS = `
  e.position,
  cast(e.revision as integer) as revision,
  cast(e.id as blob) as id,
  cast(e.type as blob) as type,
  cast(e.created as integer) as "createdMs",
  cast(s.name as blob) as stream`;

/** Everything stored of an event. */
export const EVENT_COLUMNS = `
  ${HEAD_COLUMNS},
  cast(e.crc as integer) as crc,
  cast(e.frame as blob) as frame`;

/** An event without its frame. */
export type StoredHead = Readonly<{
  position: number;
  revision: number;
  id: Blob;
  type: string;
  createdMs: number;
  stream: string;
}>;

/** An event as it is stored. */
export type StoredEvent = StoredHead & Readonly<{ crc: number; frame: Blob }>;

/** A row of HEAD_COLUMNS. */
type HeadRow = Omit<StoredHead, 'type' | 'stream'> &
  Readonly<{ type: Blob | null; stream: Blob | null }>;

/** A row of EVENT_COLUMNS. */
export type EventRow = HeadRow & Pick<StoredEvent, 'crc' | 'frame'>;

/** A text column that was read as a blob. */
export const textOf = (column: Blob | null): string =>
  column === null ? '' : bufferOf(column).toString();

const headOf = (row: HeadRow): StoredHead => ({
  ...row,
  type: textOf(row.type),
  stream: textOf(row.stream),
});

/** The event in a row of EVENT_COLUMNS. */
export const eventOf = (row: EventRow): StoredEvent => {
  const { crc, frame } = row;
  return { ...headOf(row), crc, frame };
};

/** All rows of a query for HEAD_COLUMNS. @throws StorageError */
export const headsOf = (statement: Statement, ...parameters: readonly unknown[]): StoredHead[] =>
  rowsOf<HeadRow>(statement, ...parameters).map(headOf);

/** All rows of a query for EVENT_COLUMNS. @throws StorageError */
export const eventsOf = (statement: Statement, ...parameters: readonly unknown[]): StoredEvent[] =>
  rowsOf<EventRow>(statement, ...parameters).map(eventOf);

/** An id column as a UUID without its hyphens. */
export const idHexOf = ({ id }: StoredHead): string => bufferOf(id).toString('hex');

/** Whether the frame is what was written and the columns say the same as the frame. */
export const isIntact = (event: StoredEvent): boolean => {
  try {
    const frame = bufferOf(event.frame);
    const id = hyphenated(idHexOf(event));
    return crc32(frame) === event.crc && isFrameOf(frame, { ...event, id });
  } catch {
    return false; // a damaged column may hold a value of any type
  }
};

/** The frame of a stored event. @throws StorageError when it is not what was written */
export const intactFrame = (event: StoredEvent): Buffer => {
  if (isIntact(event)) return bufferOf(event.frame);
  throw lost(`the event at position ${event.position} is not what was written`);
};

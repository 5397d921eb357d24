import { crc32 } from 'node:zlib';
import { isFrameOf } from '../wire/frame.js';
import { hyphenated } from '../wire/requests.js';
import { bufferOf, type Blob } from './blob.js';
import { lost } from './storage-error.js';

/** The columns of an event without its frame, of `events e join streams s on s.id = e.stream`. */
export const HEAD_COLUMNS =
  'e.position, e.revision, e.id, e.type, e.created as "createdMs", s.name as stream';

/** Everything stored of an event. */
export const EVENT_COLUMNS = `${HEAD_COLUMNS}, e.crc, e.frame`;

/** A row of HEAD_COLUMNS. */
export type StoredHead = Readonly<{
  position: number;
  revision: number;
  id: Blob;
  type: string;
  createdMs: number;
  stream: string;
}>;

/** A row of EVENT_COLUMNS. */
export type StoredEvent = StoredHead & Readonly<{ crc: number; frame: Blob }>;

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

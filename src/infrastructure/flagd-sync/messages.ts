import { Buffer } from 'node:buffer';

// flagd/sync/v1/sync.proto, as far as it is used: three messages of one or two text fields.

const TEXT = 2;

const varint = (value: number): readonly number[] =>
  value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(Math.floor(value / 0x80))];

/** `SyncFlagsResponse` and `FetchAllFlagsResponse`: field 1 is the document. */
export const encodeDocument = (text: string): Buffer => {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([(1 << 3) | TEXT, ...varint(bytes.length)]), bytes]);
};

/** A varint and where it ends. @throws RangeError beyond the end of the message */
const readVarint = (message: Buffer, start: number): readonly [value: number, end: number] => {
  let value = 0;
  for (let end = start, factor = 1; ; end += 1, factor *= 0x80) {
    const byte = message.readUInt8(end);
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return [value, end + 1];
  }
};

/** `SyncFlagsRequest` and `FetchAllFlagsRequest`, whose field 2 it is; empty when there is none. */
export type SyncRequest = Readonly<{ selector: string }>;

/** Both requests have text fields only. @throws RangeError for anything else */
export const decodeRequest = (message: Buffer): SyncRequest => {
  let selector = '';
  for (let at = 0; at < message.length;) {
    const [tag, afterTag] = readVarint(message, at);
    if ((tag & 7) !== TEXT) throw new RangeError('A request has text fields only.');
    const [length, start] = readVarint(message, afterTag);
    if (start + length > message.length) throw new RangeError('A field ends beyond its message.');
    if (tag >>> 3 === 2) selector = message.toString('utf8', start, start + length);
    at = start + length;
  }
  return { selector };
};

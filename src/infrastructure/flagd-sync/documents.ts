import { Buffer } from 'node:buffer';
import { type FlagdExport, flagdExport } from '../../queries/evaluation/flagd-export.js';
import { type RulesetMemory } from '../../queries/evaluation/ruleset-memory.js';

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

/** A document as it goes over the wire. */
type EncodedDocument = Readonly<{ tag: string; message: Buffer }>;

export type Documents = Readonly<{
  /** Undefined when there is no such environment, or nothing has been loaded yet. */
  of: (environmentId: string) => EncodedDocument | undefined;
  /** Called with the environments that were touched. The returned function ends the subscription. */
  subscribe: (listener: (touched: readonly string[]) => void) => () => void;
}>;

/** `<project>/<environment>` of an environmentId, whose organization nobody outside needs. */
const flagSetIdOf = (environmentId: string): string => environmentId.split(':').slice(1).join('/');

/** The flagd documents of all environments, each encoded once for all who read it. */
export const documentsOf = (memory: RulesetMemory): Documents => {
  const encoded = new WeakMap<FlagdExport, EncodedDocument>();
  return {
    of: (environmentId) => {
      const environment = memory.current()?.environments.get(environmentId);
      if (environment === undefined) return undefined;
      const made = flagdExport(environment, flagSetIdOf(environmentId));
      const document = encoded.get(made) ?? { tag: made.tag, message: encodeDocument(made.text) };
      encoded.set(made, document);
      return document;
    },
    subscribe: (listener) =>
      memory.subscribe((_, touched) => {
        listener(touched);
      }),
  };
};

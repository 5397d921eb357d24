import type { ProposedEvent } from './frame.js';
import { fieldOf, fieldsOf, type Field } from './protobuf.js';

/** What the writer says the stream's last revision is. */
export type Expected = bigint | 'any' | 'no_stream' | 'stream_exists';

/**
 * The options every write shares; `expected` is undefined when none was sent, `deadlineMs` an instant since
 * the Unix epoch, Infinity when none was sent.
 */
export type WriteOptions = Readonly<{
  stream: string;
  expected: Expected | undefined;
  deadlineMs: number;
}>;

/** A proposed event before validation: `undefined` where a required part is missing. */
export type Proposal = Omit<ProposedEvent, 'id' | 'type' | 'isJson'> &
  Readonly<{ id: string | undefined; type: string | undefined; contentType: string | undefined }>;

/** One BatchAppendReq; `correlation` is the encoded UUID, echoed as it came. */
export type BatchAppendChunk = Readonly<{
  correlation: Buffer;
  options: WriteOptions | undefined;
  proposals: readonly Proposal[];
  isFinal: boolean;
}>;

const NOTHING = Buffer.alloc(0);
/** .NET's formats N, D, B and P: bare or with hyphens, these also in braces or parentheses. */
const HYPHENATED = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const UUID = new RegExp(
  `^\\s*(?:[0-9a-f]{32}|${HYPHENATED}|\\{${HYPHENATED}\\}|\\(${HYPHENATED}\\))\\s*$`,
);

const expectedOf = ({ number, int }: Field): Expected | undefined => {
  switch (number) {
    case 2:
      return int;
    case 3:
      return 'no_stream';
    case 4:
      return 'any';
    case 5:
      return 'stream_exists';
    default:
      return undefined;
  }
};

const millisOf = (timestamp: Buffer): number =>
  Number(BigInt.asIntN(64, fieldOf(timestamp, 1)?.int ?? 0n)) * 1000 +
  Math.floor(Number(fieldOf(timestamp, 2)?.int ?? 0n) / 1e6);

/** Field 6 is an absolute Timestamp, field 7 (servers from 23.10) a Duration from now. */
const deadlineOf = (fields: readonly Field[]): number => {
  const absolute = fields.findLast(({ number }) => number === 6);
  if (absolute) return millisOf(absolute.bytes);
  const relative = fields.findLast(({ number }) => number === 7);
  return relative ? Date.now() + millisOf(relative.bytes) : Infinity;
};

/** The options of Append, BatchAppend, Delete and Tombstone: they share their field numbers. */
const decodeWriteOptions = (source: Buffer): WriteOptions => {
  const fields = fieldsOf(source);
  const identifier = fields.findLast(({ number }) => number === 1)?.bytes ?? NOTHING;
  return {
    stream: fieldOf(identifier, 3)?.bytes.toString() ?? '',
    expected: fields.map(expectedOf).findLast((value) => value !== undefined),
    deadlineMs: deadlineOf(fields),
  };
};

/** A UUID of 32 hex digits with its hyphens. */
export const hyphenated = (hex: string): string =>
  [8, 12, 16, 20, 32]
    .map((end, index, ends) => hex.slice(index === 0 ? 0 : ends[index - 1], end))
    .join('-');

const structuredUuid = (source: Buffer): string => {
  const half = (number: number) =>
    (fieldOf(source, number)?.int ?? 0n).toString(16).padStart(16, '0');
  return hyphenated(half(1) + half(2));
};

const decodeUuid = (source: Buffer): string | undefined => {
  const [field] = fieldsOf(source);
  if (field?.number === 1) return structuredUuid(field.bytes);
  const text = field?.bytes.toString().toLowerCase() ?? '';
  return UUID.test(text) ? hyphenated(text.replace(/[^0-9a-f]/g, '')) : undefined;
};

const textOf = (source: Buffer, number: number): string =>
  fieldOf(source, number)?.bytes.toString() ?? '';

const decodeProposal = (source: Buffer): Proposal => {
  const fields = fieldsOf(source);
  const last = (number: number) => fields.findLast((field) => field.number === number)?.bytes;
  const id = last(1);
  const metadata = new Map(
    fields
      .filter(({ number }) => number === 2)
      .map(({ bytes }) => [textOf(bytes, 1), textOf(bytes, 2)]),
  );
  return {
    id: id && decodeUuid(id),
    type: metadata.get('type'),
    contentType: metadata.get('content-type'),
    metadata: last(3) ?? NOTHING,
    data: last(4) ?? NOTHING,
  };
};

/** Decodes a BatchAppendReq. Throws RangeError on malformed input. */
export const decodeBatchAppend = (source: Buffer): BatchAppendChunk => {
  const fields = fieldsOf(source);
  const last = (number: number) => fields.findLast((field) => field.number === number);
  const options = last(2);
  return {
    correlation: last(1)?.bytes ?? NOTHING,
    options: options && decodeWriteOptions(options.bytes),
    proposals: fields
      .filter(({ number }) => number === 3)
      .map(({ bytes }) => decodeProposal(bytes)),
    isFinal: last(4)?.int === 1n,
  };
};

/** Decodes an AppendReq: the options come first, then one message per event. */
export const decodeAppend = (source: Buffer): WriteOptions | Proposal => {
  const [field] = fieldsOf(source);
  return field?.number === 2
    ? decodeProposal(field.bytes)
    : decodeWriteOptions(field?.bytes ?? NOTHING);
};

/** Decodes a DeleteReq or a TombstoneReq. */
export const decodeDelete = (source: Buffer): WriteOptions =>
  decodeWriteOptions(fieldOf(source, 1)?.bytes ?? NOTHING);

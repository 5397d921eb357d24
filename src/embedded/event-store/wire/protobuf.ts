/** A number is trusted to be a safe, non-negative integer; a bigint an unsigned 64-bit one. */
export type Uint = number | bigint;

/**
 * Writes one protobuf message back to front, so that the length of a nested message is known when its
 * header is due: fields are given in reverse order, and `nest` wraps what `content` wrote.
 */
export type Encoder = Readonly<{
  uint: (field: number, value: Uint) => void;
  bytes: (field: number, value: Uint8Array) => void;
  text: (field: number, value: string) => void;
  nest: (field: number, content?: () => void) => void;
}>;

const START_CAPACITY = 64 * 1024;

let scratch = Buffer.allocUnsafe(START_CAPACITY);
let at = scratch.length;

const reserve = (length: number): number => {
  if (length > at) {
    const used = scratch.length - at;
    const larger = Buffer.allocUnsafe(Math.max(scratch.length * 2, used + length));
    scratch.copy(larger, larger.length - used, at);
    scratch = larger;
    at = larger.length - used;
  }
  at -= length;
  return at;
};

const varint = (value: number): void => {
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length++;
  let rest = value;
  for (let index = reserve(length), left = length; left > 0; index++, left--) {
    scratch[index] = left > 1 ? (rest % 0x80) | 0x80 : rest;
    rest = Math.floor(rest / 0x80);
  }
};

const bigVarint = (value: bigint): void => {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  scratch.set(bytes, reserve(bytes.length));
};

const tag = (field: number, wireType: 0 | 2): void => {
  varint(field * 8 + wireType);
};

const encoder: Encoder = {
  uint: (field, value) => {
    if (typeof value === 'bigint') bigVarint(value);
    else varint(value);
    tag(field, 0);
  },
  bytes: (field, value) => {
    const start = reserve(value.length);
    scratch.set(value, start);
    varint(value.length);
    tag(field, 2);
  },
  text: (field, value) => {
    const length = Buffer.byteLength(value);
    const start = reserve(length);
    scratch.write(value, start);
    varint(length);
    tag(field, 2);
  },
  nest: (field, content) => {
    const end = scratch.length - at;
    content?.();
    varint(scratch.length - at - end);
    tag(field, 2);
  },
};

/** The bytes of the message that `write` describes; a fresh Buffer. Not re-entrant: `write` must not encode. */
export const encode = (write: (encoder: Encoder) => void): Buffer => {
  at = scratch.length;
  write(encoder);
  return Buffer.from(scratch.subarray(at));
};

/** One field of a protobuf message: `int` for varint and fixed fields, `bytes` for length-delimited ones. */
export type Field = Readonly<{ number: number; int: bigint; bytes: Buffer }>;

const NO_BYTES = Buffer.alloc(0);

const readVarint = (source: Buffer, start: number): { value: bigint; next: number } => {
  let value = 0n;
  for (let next = start, shift = 0n; shift < 70n; next++, shift += 7n) {
    const byte = source.readUInt8(next);
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return { value: BigInt.asUintN(64, value), next: next + 1 };
  }
  throw new RangeError('A varint is longer than ten bytes.');
};

/** Like `readVarint` for what must fit a 32-bit number: tags and lengths. */
const readSmall = (source: Buffer, start: number): { value: number; next: number } => {
  const first = source.readUInt8(start);
  if (first < 0x80) return { value: first, next: start + 1 };
  const { value, next } = readVarint(source, start);
  return { value: Number(value), next };
};

const sliceOf = (source: Buffer, start: number, length: number): Buffer => {
  if (start + length > source.length) throw new RangeError('A field is longer than its message.');
  return source.subarray(start, start + length);
};

/**
 * The fields of an encoded message in the order they were written; slices share memory with `source`.
 * Throws RangeError on malformed input. Source: the protobuf encoding guide.
 */
export const fieldsOf = (source: Buffer): readonly Field[] => {
  const fields: Field[] = [];
  for (let at = 0; at < source.length;) {
    const tag = readSmall(source, at);
    const number = Math.floor(tag.value / 8);
    switch (tag.value & 7) {
      case 0: {
        const { value, next } = readVarint(source, tag.next);
        fields.push({ number, int: value, bytes: NO_BYTES });
        at = next;
        break;
      }
      case 1:
        fields.push({ number, int: source.readBigUInt64LE(tag.next), bytes: NO_BYTES });
        at = tag.next + 8;
        break;
      case 2: {
        const length = readSmall(source, tag.next);
        fields.push({ number, int: 0n, bytes: sliceOf(source, length.next, length.value) });
        at = length.next + length.value;
        break;
      }
      case 5:
        fields.push({ number, int: BigInt(source.readUInt32LE(tag.next)), bytes: NO_BYTES });
        at = tag.next + 4;
        break;
      default:
        throw new RangeError('A field has an unknown wire type.');
    }
  }
  return fields;
};

/** The last field with this number, as protobuf asks for singular fields; undefined when absent. */
export const fieldOf = (source: Buffer, number: number): Field | undefined =>
  fieldsOf(source).findLast((field) => field.number === number);

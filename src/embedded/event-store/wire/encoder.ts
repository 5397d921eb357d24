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

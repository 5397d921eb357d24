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

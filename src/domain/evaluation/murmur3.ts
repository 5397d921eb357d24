// MurmurHash3_x86_32 (Austin Appleby, public domain) with seed 0 over the UTF-8 bytes of a string. The bytes are
// made on the fly, so that hashing a typical key allocates nothing.

/** What has been hashed so far; `tail` holds the bytes that do not yet fill a block, first byte lowest. */
type State = { hash: number; tail: number; tailBits: number; bytes: number };

/** The hash of a common beginning, to go on from. */
export type HashPrefix = Readonly<State>;

const start: HashPrefix = { hash: 0, tail: 0, tailBits: 0, bytes: 0 };

const scrambled = (block: number): number => {
  const product = Math.imul(block, 0xcc9e2d51);
  return Math.imul((product << 15) | (product >>> 17), 0x1b873593);
};

const mixed = (hash: number, block: number): number => {
  const sum = hash ^ scrambled(block);
  return (Math.imul((sum << 13) | (sum >>> 19), 5) + 0xe6546b64) | 0;
};

const finished = ({ hash, tail, bytes }: HashPrefix): number => {
  const last = hash ^ scrambled(tail) ^ bytes;
  const first = Math.imul(last ^ (last >>> 16), 0x85ebca6b);
  const second = Math.imul(first ^ (first >>> 13), 0xc2b2ae35);
  return (second ^ (second >>> 16)) >>> 0;
};

/** The UTF-8 bytes of a code point, first byte lowest. A lone surrogate is U+FFFD, as for TextEncoder. */
const utf8 = (point: number): number => {
  if (point < 0x80) return point;
  const last = 0x80 | (point & 0x3f);
  if (point < 0x800) return 0xc0 | (point >>> 6) | (last << 8);
  if (point >= 0xd800 && point <= 0xdfff) return 0xbdbfef;
  const middle = 0x80 | ((point >>> 6) & 0x3f);
  if (point < 0x10000) return 0xe0 | (point >>> 12) | (middle << 8) | (last << 16);
  return (
    0xf0 | (point >>> 18) | ((0x80 | ((point >>> 12) & 0x3f)) << 8) | (middle << 16) | (last << 24)
  );
};

const utf8Length = (point: number): number =>
  point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;

/** Four ASCII characters from `index` on as one block; −1 when they are not there. */
const asciiBlock = (text: string, index: number): number => {
  if (index + 4 > text.length) return -1;
  const first = text.charCodeAt(index);
  const second = text.charCodeAt(index + 1);
  const third = text.charCodeAt(index + 2);
  const fourth = text.charCodeAt(index + 3);
  if ((first | second | third | fourth) >= 0x80) return -1;
  return first | (second << 8) | (third << 16) | (fourth << 24);
};

// In local variables throughout: numbers of 32 bits in an object's fields would be stored as doubles.
const absorb = (state: State, text: string): void => {
  let { hash, tail, tailBits, bytes } = state;
  for (let index = 0; index < text.length;) {
    let length = 4;
    let block = asciiBlock(text, index);
    if (block < 0) {
      const point = text.codePointAt(index) ?? 0;
      length = utf8Length(point);
      block = utf8(point);
    }
    // Four bytes are four characters, or one surrogate pair, whose last byte makes the block negative.
    index += length < 4 ? 1 : block < 0 ? 2 : 4;
    bytes += length;
    tail |= block << tailBits;
    tailBits += length * 8;
    if (tailBits >= 32) {
      hash = mixed(hash, tail);
      tailBits -= 32;
      // The bytes that did not fit; a shift by the full width would be a shift by nothing.
      tail = tailBits === 0 ? 0 : block >>> (length * 8 - tailBits);
    }
  }
  state.hash = hash;
  state.tail = tail;
  state.tailBits = tailBits;
  state.bytes = bytes;
};

/** Hashes a well-formed beginning once, for all the strings that follow it. */
export const hashPrefix = (beginning: string): HashPrefix => {
  const state = { ...start };
  absorb(state, beginning);
  return state;
};

// One for the process: a hash begins and ends without giving way to another.
const scratch: State = { ...start };

/** The hash, as an unsigned 32-bit integer, of `text` behind the beginning that `prefix` stands for. */
export const murmur3 = (text: string, prefix: HashPrefix = start): number => {
  scratch.hash = prefix.hash;
  scratch.tail = prefix.tail;
  scratch.tailBits = prefix.tailBits;
  scratch.bytes = prefix.bytes;
  absorb(scratch, text);
  return finished(scratch);
};

import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { StorageError } from './schema.js';

/** Source for all offsets: the SQLite WAL format, sqlite.org/walformat.html. */
const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const MAGIC = 0x377f0682; // the last bit says that checksums read big-endian words

type Checksum = readonly [number, number];

type Word = (bytes: Buffer, at: number) => number;

const wordOf = (magic: number): Word =>
  (magic & 1) === 0 ? (bytes, at) => bytes.readInt32LE(at) : (bytes, at) => bytes.readInt32BE(at);

const checksumOf = (word: Word, bytes: Buffer, [first, second]: Checksum): Checksum => {
  let a = first;
  let b = second;
  for (let at = 0; at < bytes.length; at += 8) {
    a = (a + word(bytes, at) + b) | 0;
    b = (b + word(bytes, at + 4) + a) | 0;
  }
  return [a, b];
};

const storedChecksum = (bytes: Buffer, at: number): Checksum => [
  bytes.readInt32BE(at),
  bytes.readInt32BE(at + 4),
];

const isSame = (one: Checksum, other: Checksum): boolean =>
  one[0] === other[0] && one[1] === other[1];

/** A page that was written; `isLast` when it completes a transaction. */
type Frame = Readonly<{ isOurs: boolean; isLast: boolean; stored: Checksum; bytes: Buffer }>;

type Generation = Readonly<{ word: Word; pageBytes: number; salt: Buffer; start: Checksum }>;

const generationOf = (header: Buffer): Generation | undefined => {
  const magic = header.readUInt32BE(0);
  const word = wordOf(magic);
  const start = checksumOf(word, header.subarray(0, 24), [0, 0]);
  if ((magic & ~1) !== MAGIC || !isSame(start, storedChecksum(header, 24))) return undefined;
  return { word, pageBytes: header.readUInt32BE(8), salt: header.subarray(16, 24), start };
};

const follows = ({ word }: Generation, before: Checksum, { isOurs, stored, bytes }: Frame) => {
  const head = checksumOf(word, bytes.subarray(0, 8), before);
  return isOurs && isSame(checksumOf(word, bytes.subarray(FRAME_HEADER_BYTES), head), stored);
};

function* framesOf(descriptor: number, { pageBytes, salt }: Generation): Generator<Frame> {
  const length = FRAME_HEADER_BYTES + pageBytes;
  for (let at = HEADER_BYTES; ; at += length) {
    const bytes = Buffer.alloc(length);
    if (readSync(descriptor, bytes, 0, length, at) < length) return;
    yield {
      isOurs: bytes.subarray(8, 16).equals(salt),
      isLast: bytes.readUInt32BE(4) !== 0,
      stored: storedChecksum(bytes, 16),
      bytes,
    };
  }
}

/**
 * The number of the first frame that is not what was written although it had been made durable, if there is one.
 * SQLite takes the first bad frame for the end. That is right for a transaction that was cut off by a crash, which
 * nothing can follow; but where a later transaction begins, the bad frame belongs to one that had been completed.
 */
const damagedFrame = (frames: Iterable<Frame>, generation: Generation): number | undefined => {
  let before: Frame | undefined;
  let checksum: Checksum = generation.start;
  let index = 0;
  let bad: number | undefined;
  for (const frame of frames) {
    if (bad === undefined) {
      if (!follows(generation, checksum, frame)) bad = index;
    } else if (before?.isOurs && before.isLast && follows(generation, before.stored, frame)) {
      return bad;
    }
    checksum = frame.stored;
    before = frame;
    index++;
  }
  return undefined;
};

const refusal = (wal: string, at: number): StorageError =>
  new StorageError(
    'damaged',
    `${wal} is damaged at byte ${at}, and acknowledged events come behind it. Nothing was changed; restore the directory from a copy. To go on without these events, cut the file there (truncate -s ${at} ${wal}) and start with --check.`,
  );

/**
 * Looks at the write-ahead log that a killed process left, before SQLite takes over what it can read of it.
 * Damage in its last transaction cannot be told from a crash.
 * @throws StorageError when it lost transactions that had been completed
 */
export const checkWriteAheadLog = (file: string): void => {
  const wal = `${file}-wal`;
  if (!existsSync(wal)) return;
  const descriptor = openSync(wal, 'r');
  try {
    const header = Buffer.alloc(HEADER_BYTES);
    const { size } = fstatSync(descriptor);
    if (size <= HEADER_BYTES + FRAME_HEADER_BYTES) return;
    readSync(descriptor, header, 0, HEADER_BYTES, 0);
    const generation = generationOf(header);
    if (!generation) throw refusal(wal, 0);
    const bad = damagedFrame(framesOf(descriptor, generation), generation);
    if (bad !== undefined)
      throw refusal(wal, HEADER_BYTES + bad * (FRAME_HEADER_BYTES + generation.pageBytes));
  } finally {
    closeSync(descriptor);
  }
};

import { closeSync, existsSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { APPLICATION_ID, FORMAT_VERSION } from './schema.js';
import { damaged, StorageError } from './storage-error.js';

const HEADER_BYTES = 100;
const MAGIC = 'SQLite format 3\0';

/** @throws StorageError when the file was written by a newer version of this server. */
export const refuseNewerFormat = (file: string, version: number): void => {
  if (version > FORMAT_VERSION)
    throw new StorageError(
      'unusable',
      `${file} has format ${version}, this version reads up to ${FORMAT_VERSION}. Nothing was changed; start the newer version that wrote it.`,
    );
};

const walBytes = (file: string): number => {
  const wal = `${file}-wal`;
  return existsSync(wal) ? statSync(wal).size : 0;
};

/** After a clean stop the file must be as long as its header says; with a write-ahead log SQLite decides. */
const refuseTruncated = (file: string, header: Buffer, size: number): void => {
  const rawPageSize = header.readUInt16BE(16);
  const pageSize = rawPageSize === 1 ? 65536 : rawPageSize;
  const sizeIsValid = header.readUInt32BE(24) === header.readUInt32BE(92);
  const expected = header.readUInt32BE(28) * pageSize;
  if (sizeIsValid && walBytes(file) === 0 && size !== expected)
    throw damaged(file, `it is ${size} bytes long instead of ${expected}`);
};

/**
 * Looks at the first 100 bytes before SQLite does, so that a foreign, cut or newer file is refused
 * untouched. Offsets: the SQLite file format, section 1.3. Must run before the database is opened:
 * closing any descriptor of the file drops the process's locks on it.
 * @throws StorageError
 */
export const checkHeader = (file: string): void => {
  const descriptor = openSync(file, 'r');
  try {
    const header = Buffer.alloc(HEADER_BYTES);
    const read = readSync(descriptor, header, 0, HEADER_BYTES, 0);
    if (read < HEADER_BYTES || header.toString('latin1', 0, 16) !== MAGIC)
      throw damaged(file, 'it does not begin like an event log');
    if (header.readUInt32BE(68) !== APPLICATION_ID)
      throw new StorageError(
        'unusable',
        `${file} is an SQLite database but not an event log of this server. Nothing was changed; use another directory.`,
      );
    refuseNewerFormat(file, header.readUInt32BE(60));
    refuseTruncated(file, header, fstatSync(descriptor).size);
  } finally {
    closeSync(descriptor);
  }
};

/**
 * `damaged`: something stored is not what was written. `full`: no room on the disk. `failing`: the disk or the system
 * refuses to read or write. `unusable`: the log cannot be opened by this process as it is.
 */
export type StorageFault = 'damaged' | 'full' | 'failing' | 'unusable';

/** The log cannot be opened, read or written. The message says what is wrong and what to do about it. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly fault: StorageFault;
  constructor(fault: StorageFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}

/** A file that cannot be opened because it does not hold what was written to it. */
export const damaged = (file: string, what: string, cause?: unknown): StorageError =>
  new StorageError(
    'damaged',
    `${file} is damaged: ${what}. Nothing was changed; restore the directory from a copy, or move it away to start empty.`,
    { cause },
  );

/** What a read meets that does not find what was written. */
export const lost = (what: string, cause?: unknown): StorageError =>
  new StorageError(
    'damaged',
    `The log is damaged: ${what}. Restore the directory from a copy; --check examines all of it.`,
    { cause },
  );

/** The log cannot be opened or trusted. The message says what is wrong and what to do about it. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
}

/** A row or the file does not hold what was written to it. */
export const damaged = (file: string, what: string, cause?: unknown): StorageError =>
  new StorageError(
    `${file} is damaged: ${what}. Nothing was changed; restore the directory from a copy, or move it away to start empty.`,
    { cause },
  );

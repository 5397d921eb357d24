/** A local service cannot be provided. `message` is one line for the person at the terminal and says what to do. */
export class StartupError extends Error {
  override readonly name = 'StartupError';
}

/** The text of anything that was thrown, on one line. */
export const reasonOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(/\s*\n\s*/g, ' ');

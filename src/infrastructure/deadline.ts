/** Rejects with the given error when the work takes longer than `timeoutMs`; the work itself goes on. */
export const withDeadline = async <T>(
  work: Promise<T>,
  timeoutMs: number,
  toError: () => Error,
): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(toError());
    }, timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
};

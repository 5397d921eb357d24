/** Something did not answer in time. */
export class TimedOut extends Error {
  override readonly name = 'TimedOut';
}

/**
 * The promise's own outcome when it comes within `timeoutMs`.
 * @throws TimedOut otherwise; what the promise does afterwards is not looked at
 */
export const within = async <T>(
  timeoutMs: number,
  what: string,
  promise: Promise<T>,
): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new TimedOut(`${what} did not answer within ${timeoutMs} ms.`));
    }, timeoutMs);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
};

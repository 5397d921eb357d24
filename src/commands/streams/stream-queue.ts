import { CommandNotStarted } from './event-store.js';

/** Resolves when it is this command's turn. @throws CommandNotStarted when the signal aborts before */
const turnOf = (previous: Promise<unknown>, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const refuse = (): void => {
      reject(new CommandNotStarted('Earlier commands on this stream are still waiting.'));
    };
    if (signal.aborted) refuse();
    signal.addEventListener('abort', refuse);
    void previous.then(() => {
      signal.removeEventListener('abort', refuse);
      resolve();
    });
  });

/**
 * Runs the commands of one stream one after the other, so that within a process they never conflict;
 * different streams run side by side. A command whose turn does not come before `signal` aborts is not run.
 */
export const streamQueue = () => {
  const tails = new Map<string, Promise<unknown>>();

  return async <T>(stream: string, signal: AbortSignal, run: () => Promise<T>): Promise<T> => {
    const previous = tails.get(stream);
    const turn = previous === undefined ? run() : turnOf(previous, signal).then(run);
    const tail = Promise.allSettled([previous, turn]);
    tails.set(stream, tail);
    try {
      return await turn;
    } finally {
      if (tails.get(stream) === tail) tails.delete(stream);
    }
  };
};

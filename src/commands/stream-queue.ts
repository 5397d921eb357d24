import { EventStoreUnavailable } from './event-store.js';

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    const refuse = (): void => {
      reject(new EventStoreUnavailable('Earlier commands on this stream are still waiting.'));
    };
    if (signal.aborted) refuse();
    else signal.addEventListener('abort', refuse, { once: true });
  });

/**
 * Runs the commands of one stream one after the other, so that within a process they never conflict;
 * different streams run side by side. A command whose turn does not come before `signal` aborts is not run.
 */
export const streamQueue = () => {
  const tails = new Map<string, Promise<unknown>>();

  return async <T>(stream: string, signal: AbortSignal, run: () => Promise<T>): Promise<T> => {
    const previous = tails.get(stream) ?? Promise.resolve();
    const turn = Promise.race([previous, aborted(signal)]).then(run);
    const tail = Promise.allSettled([previous, turn]);
    tails.set(stream, tail);
    try {
      return await turn;
    } finally {
      if (tails.get(stream) === tail) tails.delete(stream);
    }
  };
};

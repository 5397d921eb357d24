import { type Position } from '../../domain/position.js';
type Waiter = Readonly<{ position: Position; resolve: (isReached: boolean) => void }>;

/** Those who wait, each for a time, until a log position is reached. */
export const positionWaiters = () => {
  const waiting = new Set<Waiter>();
  return {
    reached: (position: Position): void => {
      for (const waiter of waiting) if (waiter.position <= position) waiter.resolve(true);
    },
    wait: (position: Position, timeoutMs: number): Promise<boolean> =>
      new Promise((resolve) => {
        const timer = setTimeout(() => {
          waiter.resolve(false);
        }, timeoutMs);
        const waiter: Waiter = {
          position,
          resolve: (isReached) => {
            clearTimeout(timer);
            waiting.delete(waiter);
            resolve(isReached);
          },
        };
        waiting.add(waiter);
      }),
  };
};

import { DomainError } from '../../domain/decider.js';

/**
 * Runs at most `atOnce` pieces of work side by side; the others wait in turn, `waiting` of them at most.
 * @throws DomainError `overloaded` when too many wait
 */
export const workLimit = ({ atOnce, waiting }: Readonly<{ atOnce: number; waiting: number }>) => {
  const queue: (() => void)[] = [];
  let running = 0;

  const turn = async (): Promise<void> => {
    if (running < atOnce) {
      running += 1;
      return;
    }
    if (queue.length >= waiting)
      throw new DomainError('overloaded', 'Too many passwords are being checked; try again.');
    await new Promise<void>((resolve) => queue.push(resolve));
  };

  /** Hands the place to the next in the queue, so that nobody overtakes. */
  const leave = (): void => {
    const next = queue.shift();
    if (next === undefined) running -= 1;
    else next();
  };

  return async <T>(work: () => Promise<T>): Promise<T> => {
    await turn();
    try {
      return await work();
    } finally {
      leave();
    }
  };
};

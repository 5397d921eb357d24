import { setTimeout as delay } from 'node:timers/promises';

/** Resolves when the condition holds; the test's own time limit is the only other end. */
export const eventually = async (condition: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await condition())) await delay(5);
};

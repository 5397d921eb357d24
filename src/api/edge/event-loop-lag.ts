/** How often the lag is measured. Milliseconds. */
const EVERY_MS = 50;

/** How many measurements in a row count. */
const KEPT = 4;

/**
 * How late this process's event loop is, in milliseconds: the least of the last few measurements, so that one long
 * turn is no overload but a queue that does not drain is. (Nichols and Jacobson, "Controlling Queue Delay", 2012.)
 */
export const eventLoopLag = () => {
  const measured: number[] = [];
  let dueAt = performance.now() + EVERY_MS;
  const timer = setInterval(() => {
    const now = performance.now();
    measured.push(Math.max(now - dueAt, 0));
    if (measured.length > KEPT) measured.shift();
    dueAt = now + EVERY_MS;
  }, EVERY_MS);
  timer.unref();
  return {
    lagMs: (): number => (measured.length < KEPT ? 0 : Math.min(...measured)),
    stop: (): void => {
      clearInterval(timer);
    },
  };
};

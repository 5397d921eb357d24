import { loadavg } from 'node:os';

/** The smallest value that `share` (0 to 1) of all are not above. */
export const quantile = (values: readonly number[], share: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN;
};

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** What a figure may be used for: `1 234`, `12.3`, `0.42`. */
export const figure = (value: number): string => {
  if (value >= 100) return Math.round(value).toLocaleString('en').replaceAll(',', ' ');
  return value.toFixed(value >= 10 ? 1 : 2);
};

/** Of the last minute, over all processors. */
export const machineLoad = (): number => loadavg()[0] ?? NaN;

export type Rate = Readonly<{ perSecond: number; p50Ms: number; p99Ms: number }>;

/** Runs `task` in `workers` loops for `forMs`. */
export const rateOf = async (
  workers: number,
  forMs: number,
  task: (n: number) => Promise<unknown>,
): Promise<Rate> => {
  const times: number[] = [];
  const start = performance.now();
  let next = 0;
  const loop = async (): Promise<void> => {
    while (performance.now() - start < forMs) {
      const began = performance.now();
      await task(next++);
      times.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: workers }, loop));
  const seconds = (performance.now() - start) / 1_000;
  return {
    perSecond: times.length / seconds,
    p50Ms: quantile(times, 0.5),
    p99Ms: quantile(times, 0.99),
  };
};

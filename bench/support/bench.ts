import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { report, type Row } from './report.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** One benchmark while it runs. */
export type Bench = Readonly<{
  /** Empty at the start, removed at the end. */
  folder: string;
  /** Called at the end, the last first, however the benchmark ends. */
  atEnd: (close: () => unknown) => void;
  /** Says how far it is. */
  say: (text: string) => void;
}>;

/** A port that is free now is so in the range in which no outgoing connection takes it. */
export { freePort } from '../../src/embedded/stack/data-directory.js';

/**
 * Runs a benchmark in a folder of its own and reports its rows. Leaves no file and no process, also when it fails,
 * is interrupted or takes longer than `limitSeconds`.
 */
export const runBench = async (
  name: string,
  limitSeconds: number,
  measure: (bench: Bench) => Promise<readonly Row[]>,
): Promise<void> => {
  const folder = join(root, '.data', `bench-${name}-${process.pid}`);
  const closers: (() => unknown)[] = [
    () => {
      rmSync(folder, { recursive: true, force: true });
    },
  ];
  const cutOff = new Promise<never>((_, reject) => {
    const because = (text: string) => (): void => {
      reject(new Error(`${name}: ${text}`));
    };
    setTimeout(because(`not done after ${limitSeconds} s`), limitSeconds * 1_000);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, because(signal));
  });
  mkdirSync(folder, { recursive: true });
  try {
    const bench: Bench = {
      folder,
      atEnd: (close) => {
        closers.push(close);
      },
      say: (text) => {
        console.error(`${name}: ${text}`);
      },
    };
    report(await Promise.race([measure(bench), cutOff]));
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
  } finally {
    for (const close of closers.reverse()) await close();
    setImmediate(() => process.exit());
  }
};

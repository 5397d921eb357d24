import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Test } from 'tap';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * The server transpiled to a folder of its own under .cache, because tests run in parallel and dist/ is
 * replaced by every build. Returns the path of its main.js.
 */
export const buildEventStore = async (t: Test): Promise<string> => {
  mkdirSync(join(root, '.cache'), { recursive: true });
  const outdir = mkdtempSync(join(root, '.cache', 'event-store-'));
  t.teardown(() => {
    rmSync(outdir, { recursive: true, force: true });
  });
  const source = join(root, 'src/embedded/event-store');
  await build({
    entryPoints: readdirSync(source, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(source, name)),
    outdir,
    outbase: source,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'warning',
  });
  return join(outdir, 'main.js');
};

/** A started server process; `output` resolves when it has ended. */
export type StoreProcess = Readonly<{
  process: ChildProcess;
  /** The first line on stdout; rejects when the process ends without one. */
  ready: Promise<string>;
  ended: Promise<Readonly<{ code: number | null; stdout: string; stderr: string }>>;
}>;

/**
 * A shell sets the limit of file sizes (in KiB) that stands in for a full disk; it can be raised later. NODE_OPTIONS
 * would bring in code of the test runner that ends the process at the limit's signal, which Node itself ignores.
 */
const limited = (fileLimitKb: number): readonly string[] => [
  'bash',
  '-c',
  `unset NODE_OPTIONS; ulimit -S -f ${fileLimitKb}; exec "$0" "$@"`,
];

/** Starts the server with these arguments; it is killed after the test if it still runs. */
export const spawnStore = (
  t: Test,
  main: string,
  args: readonly string[],
  { fileLimitKb }: { fileLimitKb?: number } = {},
): StoreProcess => {
  const limit = fileLimitKb === undefined ? [] : limited(fileLimitKb);
  const [program = '', ...rest] = [...limit, process.execPath, main, ...args];
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  const ended = once(child, 'close').then(([code]) => ({
    code: code as number | null,
    stdout,
    stderr,
  }));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ready = new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
      if (stdout.includes('\n')) resolve(stdout.slice(0, stdout.indexOf('\n')));
    });
    void ended.then(() => {
      reject(new Error(`The event store ended: ${stderr}`));
    });
  });
  ready.catch(() => undefined);
  t.teardown(() => {
    if (child.exitCode === null) child.kill('SIGKILL');
  });
  return { process: child, ready, ended };
};

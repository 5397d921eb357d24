// node scripts/start.mjs [--watch] dist/<program>.js [arguments of the program]
//
// Installs and builds what is missing or out of date, then runs the program in this very process, so that signals
// and exit codes are the program's own. With --watch: in a child process, built and started again on every change.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, watch } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildIfStale, prepare, root, runScript, SetupError } from './bootstrap.mjs';

const QUIET_MS = 100; // editors write a file in several steps

const runAgainOnChange = async (program, args) => {
  const start = () => spawn(process.execPath, [program, ...args], { stdio: 'inherit' });
  let child = start();
  let timer;
  let restarting = Promise.resolve();
  const restart = async () => {
    try {
      if (!(await buildIfStale())) return;
    } catch {
      return; // esbuild has printed what is wrong; the old program goes on
    }
    const isRunning = child.exitCode === null && child.signalCode === null;
    if (isRunning) {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    }
    child = start();
  };
  watch(join(root, 'src'), { recursive: true }, () => {
    clearTimeout(timer);
    timer = setTimeout(() => (restarting = restarting.then(restart)), QUIET_MS);
  });
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => {
      if (child.exitCode !== null || child.signalCode !== null) process.exit(0);
      child.once('exit', (code) => process.exit(code ?? 1));
      if (signal === 'SIGTERM') child.kill(signal); // a terminal sends SIGINT to both of us
    });
  }
};

await runScript(async () => {
  const args = process.argv.slice(2);
  const isWatching = args[0] === '--watch';
  if (isWatching) args.shift();
  const [file, ...rest] = args;
  if (file === undefined)
    throw new SetupError('usage: node scripts/start.mjs [--watch] dist/<program>.js');
  prepare();
  await buildIfStale();
  const program = resolve(root, file);
  if (!existsSync(program)) throw new SetupError(`${file} is not there; is its source in src/?`);
  if (isWatching) {
    await runAgainOnChange(program, rest);
    return;
  }
  process.argv.splice(1, process.argv.length, program, ...rest);
  await import(pathToFileURL(program).href);
});

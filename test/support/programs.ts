import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { rebuildCommand, statusCommand } from '../../src/cli/projections-commands.js';
import { skipCommand, type SkipAsked } from '../../src/cli/skip-command.js';
import { verifyCommand, type VerifyOptions } from '../../src/cli/verify-command.js';
import { loadConfig } from '../../src/config.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** A program of the build, as `npm run` runs it. @returns its exit code and all that it printed */
export const runProgram = async (
  environment: Environment,
  program: string,
  ...args: readonly string[]
): Promise<string> => {
  const path = fileURLToPath(new URL(`../../dist/${program}.js`, import.meta.url));
  const env = { ...process.env, ...environment };
  const child = spawn(process.execPath, [path, ...args], { env });
  const ended = once(child, 'close');
  const printed = (await Promise.all([text(child.stdout), text(child.stderr)])).join('');
  const [code] = (await ended) as [number];
  return `${code}\n${printed}`;
};

const servicesIn = ({ EVENTSTORE_URL, DATABASE_URL, REDIS_URL }: Environment) => ({
  eventStoreUrl: EVENTSTORE_URL ?? '',
  databaseUrl: DATABASE_URL ?? '',
  redisUrl: REDIS_URL ?? '',
  stop: () => Promise.resolve(),
});

const printed = async (work: (print: (line: string) => void) => Promise<number>) => {
  const lines: string[] = [];
  const code = await work((line) => lines.push(line));
  return [code, ...lines].join('\n');
};

/** What `npm run projections -- rebuild` does, in this process. @returns as runProgram */
export const runRebuild = (environment: Environment): Promise<string> =>
  printed((print) =>
    rebuildCommand(loadConfig(environment), servicesIn(environment), print, {
      signal: new AbortController().signal,
      replacesDifferent: false,
      adoptsLog: false,
      acceptsLoss: false,
    }),
  );

/** What `npm run projections -- status` does, in this process. @returns as runProgram */
export const runStatus = (environment: Environment): Promise<string> =>
  printed((print) => statusCommand(loadConfig(environment), servicesIn(environment), print));

/** What `npm run projections -- skip` does, in this process. @returns as runProgram */
export const runSkip = (environment: Environment, asked: SkipAsked): Promise<string> =>
  printed((print) => skipCommand(loadConfig(environment), servicesIn(environment), asked, print));

/** What `npm run verify` does, in this process. @returns as runProgram */
export const runVerify = (environment: Environment, options: VerifyOptions = {}): Promise<string> =>
  printed((print) =>
    verifyCommand(loadConfig(environment), servicesIn(environment), options, print),
  );

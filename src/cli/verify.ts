import { parseArgs } from 'node:util';
import { runProgram } from './run-program.js';
import { provideServices } from '../composition/services.js';
import { verifyCommand, type VerifyOptions } from './verify-command.js';
import { loadConfig } from '../config.js';
import { DomainError } from '../domain/decider.js';

const USAGE = `npm run verify -- [--organization <id>] [--checkpoint <file>]
Reads the whole log and compares it with signed checkpoints, the read model and Redis.
Ends with 0: all holds, 1: something is broken, or the checkpoint is not ours, 2: it could not be verified,
3: nothing is broken but not all is proven.`;

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** Milliseconds between two lines of progress. */
const PROGRESS_MS = 2_000;

/** To the standard error output, beside what was found. */
const progress = () => {
  let toldAt = performance.now();
  return (text: string): void => {
    if (performance.now() - toldAt < PROGRESS_MS) return;
    toldAt = performance.now();
    process.stderr.write(`verify: ${text}\n`);
  };
};

const options = (): VerifyOptions | undefined => {
  try {
    const { values } = parseArgs({
      options: { organization: { type: 'string' }, checkpoint: { type: 'string' } },
    });
    return values;
  } catch {
    return undefined;
  }
};

/** On the services of the running service, on configured ones, or on local ones for as long as it takes. */
const run = async (asked: VerifyOptions): Promise<number> => {
  const config = loadConfig(process.env);
  const quiet = (): void => undefined;
  const services = await provideServices(config, {
    log: { info: quiet, warn: quiet },
    joins: true,
    uses: { eventStore: 'read', postgres: true, redis: true },
  });
  try {
    return await verifyCommand(config, services, { ...asked, onProgress: progress() }, print);
  } finally {
    await services.stop();
  }
};

await runProgram(
  'verify',
  async () => {
    const asked = options();
    if (asked !== undefined) return run(asked);
    print(USAGE);
    return 2;
  },
  (error) => (error instanceof DomainError ? 1 : 2),
);

import {
  rebuildCommand,
  type RebuildServices,
  statusCommand,
} from './composition/projections-commands.js';
import { provideServices } from './composition/services.js';
import { loadConfig } from './config.js';

const USAGE = `npm run projections -- rebuild   builds the read model anew from the log, compares, swaps
npm run projections -- status    tells where the read model stands`;

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** On the services of the running service, on configured ones, or on local ones for as long as it takes. */
const withServices = async (
  work: (services: RebuildServices) => Promise<number>,
): Promise<number> => {
  const quiet = (): void => undefined;
  const services = await provideServices(loadConfig(process.env), {
    log: { info: quiet, warn: quiet },
    joins: true,
  });
  try {
    return await work(services);
  } finally {
    await services.stop();
  }
};

const run = async (command: string | undefined): Promise<number> => {
  const stopping = new AbortController();
  process.once('SIGINT', () => {
    stopping.abort(new Error('interrupted; the old read model goes on serving'));
  });
  if (command === 'rebuild')
    return withServices((services) => rebuildCommand(services, print, stopping.signal));
  if (command === 'status') return withServices((services) => statusCommand(services, print));
  print(USAGE);
  return 2;
};

try {
  process.exitCode = await run(process.argv[2]);
} catch (error) {
  process.stderr.write(`projections: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

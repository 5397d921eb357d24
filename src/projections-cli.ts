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

/** Those with a URL are used where they are; the others are started in the data directory, and stopped again. */
const withConfiguredOrLocalServices = async (
  work: (services: RebuildServices) => Promise<number>,
): Promise<number> => {
  const config = loadConfig(process.env);
  const quiet = (): void => undefined;
  // Redis has no part in this: any URL keeps a local one from being started.
  const unused = 'redis://127.0.0.1:6379';
  const services = await provideServices(
    { ...config, redisUrl: unused },
    { info: quiet, warn: quiet },
  );
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
    return withConfiguredOrLocalServices((services) =>
      rebuildCommand(services, print, stopping.signal),
    );
  if (command === 'status')
    return withConfiguredOrLocalServices((services) => statusCommand(services, print));
  print(USAGE);
  return 2;
};

try {
  process.exitCode = await run(process.argv[2]);
} catch (error) {
  process.stderr.write(`projections: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

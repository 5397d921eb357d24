import { parseArgs } from 'node:util';
import { rebuildCommand, statusCommand } from './projections-commands.js';
import { runProgram } from './run-program.js';
import { provideServices, type Services } from '../composition/services.js';
import { type Config, loadConfig } from '../config.js';

const USAGE = `npm run projections -- rebuild   builds the read model anew from the log, compares it with the one that
                                 serves, and puts it in place when both are equal. Ends with 1 and the first
                                 differences when they are not: then the old one goes on serving
    --replace-different          puts the rebuilt one in place also when it differs
    --adopt-log                  takes a log that is not marked as this installation's: after its database or master
                                 key was lost; who has them both is refused from then on
npm run projections -- status    tells where the read model stands`;

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** On the services of the running service, on configured ones, or on local ones for as long as it takes. */
const withServices = async (
  work: (config: Config, services: Services) => Promise<number>,
): Promise<number> => {
  const quiet = (): void => undefined;
  const config = loadConfig(process.env);
  const services = await provideServices(config, {
    log: { info: quiet, warn: quiet },
    joins: true,
    uses: { eventStore: 'read', postgres: true },
  });
  try {
    return await work(config, services);
  } finally {
    await services.stop();
  }
};

type Arguments = Readonly<{
  command: string | undefined;
  replacesDifferent: boolean;
  adoptsLog: boolean;
}>;

const argumentsOf = (args: readonly string[]): Arguments => {
  try {
    const options = {
      'replace-different': { type: 'boolean' },
      'adopt-log': { type: 'boolean' },
    } as const;
    const { positionals, values } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [command, ...more] = positionals;
    const replacesDifferent = values['replace-different'] === true;
    const adoptsLog = values['adopt-log'] === true;
    const isForRebuild = replacesDifferent || adoptsLog;
    const isUsable = more.length === 0 && (!isForRebuild || command === 'rebuild');
    return { command: isUsable ? command : undefined, replacesDifferent, adoptsLog };
  } catch {
    return { command: undefined, replacesDifferent: false, adoptsLog: false };
  }
};

const run = async ({ command, replacesDifferent, adoptsLog }: Arguments): Promise<number> => {
  const stopping = new AbortController();
  process.once('SIGINT', () => {
    stopping.abort(new Error('interrupted; the old read model goes on serving'));
  });
  if (command === 'rebuild')
    return withServices((config, services) =>
      rebuildCommand(config, services, print, {
        ...{ signal: stopping.signal, replacesDifferent, adoptsLog },
      }),
    );
  if (command === 'status')
    return withServices((config, services) => statusCommand(config, services, print));
  print(USAGE);
  return 2;
};

await runProgram('projections', () => run(argumentsOf(process.argv.slice(2))));

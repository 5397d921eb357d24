import { parseArgs } from 'node:util';
import { rebuildCommand, statusCommand } from './projections-commands.js';
import { runProgram } from './run-program.js';
import { provideServices, type Services } from '../composition/services.js';
import { skipCommand, type SkipAsked } from './skip-command.js';
import { type Config, loadConfig } from '../config.js';

const USAGE = `npm run projections -- rebuild   builds the read model anew from the log, compares it with the one that
                                 serves, and puts it in place when both are equal. Ends with 1 and the first
                                 differences when they are not: then the old one goes on serving
    --replace-different          puts the rebuilt one in place also when it differs
    --accept-loss                goes on with an event store that was restored from an older back-up; without it, what
                                 is lost is only listed. Stop all processes of the service first
    --adopt-log                  takes a log that is not marked as this installation's: after its database or master
                                 key was lost; who has them both is refused from then on
npm run projections -- status    tells where the read model stands, and which streams stand still
npm run projections -- skip      skips the event at which a stream stands still, for good: the stream goes on behind it,
                                 as if the event had never been there. The audit log says so, with the reason
    --stream NAME --revision N   the event, as 'status' names it
    --reason TEXT                why
    --by NAME                    who; the user of this machine unless given`;

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** On the services of the running service, on configured ones, or on local ones for as long as it takes. */
const withServices = async (
  eventStore: 'read' | 'write',
  work: (config: Config, services: Services) => Promise<number>,
): Promise<number> => {
  const quiet = (): void => undefined;
  const config = loadConfig(process.env);
  const services = await provideServices(config, {
    log: { info: quiet, warn: quiet },
    joins: true,
    uses: { eventStore, postgres: true },
  });
  try {
    return await work(config, services);
  } finally {
    await services.stop();
  }
};

const OPTIONS = {
  'replace-different': { type: 'boolean' },
  'adopt-log': { type: 'boolean' },
  'accept-loss': { type: 'boolean' },
  stream: { type: 'string' },
  revision: { type: 'string' },
  reason: { type: 'string' },
  by: { type: 'string' },
} as const;

/** The options that each command knows. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  rebuild: ['replace-different', 'adopt-log', 'accept-loss'],
  status: [],
  skip: ['stream', 'revision', 'reason', 'by'],
};

const parsed = (args: readonly string[]) => {
  const { positionals, values } = parseArgs({
    ...{ args: [...args], options: OPTIONS, allowPositionals: true },
  });
  const [command = '', ...more] = positionals;
  const known = KNOWN[command];
  const isUsable = more.length === 0 && Object.keys(values).every((name) => known?.includes(name));
  return isUsable ? { command, values } : undefined;
};

type Values = NonNullable<ReturnType<typeof parsed>>['values'];

const argumentsOf = (args: readonly string[]): ReturnType<typeof parsed> => {
  try {
    return parsed(args);
  } catch {
    return undefined;
  }
};

/** What is to be skipped; undefined when it is not said whole. */
const skipAsked = ({ stream, revision = '', reason = '', by }: Values): SkipAsked | undefined =>
  stream !== undefined && /^\d{1,15}$/.test(revision) && reason.trim() !== ''
    ? { stream, revision: Number(revision), reason, by }
    : undefined;

const rebuild = (values: Values): Promise<number> => {
  const stopping = new AbortController();
  process.once('SIGINT', () => {
    stopping.abort(new Error('interrupted; the old read model goes on serving'));
  });
  return withServices('read', (config, services) =>
    rebuildCommand(config, services, print, {
      signal: stopping.signal,
      replacesDifferent: values['replace-different'] === true,
      adoptsLog: values['adopt-log'] === true,
      acceptsLoss: values['accept-loss'] === true,
    }),
  );
};

const run = async ({ command, values }: Partial<ReturnType<typeof parsed> & object>) => {
  if (command === 'rebuild') return rebuild(values ?? {});
  if (command === 'status')
    return withServices('read', (config, services) => statusCommand(config, services, print));
  const asked = command === 'skip' ? skipAsked(values ?? {}) : undefined;
  if (asked !== undefined)
    return withServices('write', (config, services) => skipCommand(config, services, asked, print));
  print(USAGE);
  return 2;
};

await runProgram('projections', () => run(argumentsOf(process.argv.slice(2)) ?? {}));

import closeWithGrace from 'close-with-grace';
import { pino } from 'pino';
import { InvalidConfig, loadConfig } from './config.js';
import { StartupError } from './embedded/stack.js';
import { startService } from './composition/service.js';

/** Longer than any request and the draining may take; then the process ends all the same. */
const CLOSE_TIMEOUT_MS = 30_000;

const credentialLines = (credential: string, url: string): readonly string[] => [
  '',
  'The admin credential, shown this once:',
  `  ${credential}`,
  'Try it:',
  `  curl -H "authorization: Bearer ${credential}" ${url}/api/v1/projects/demo`,
];

const print = (lines: readonly string[]): void => {
  process.stdout.write(`${lines.join('\n')}\n\n`);
};

/** Faults that a person can put right are one line; everything else is a bug and shows its stack. */
const tell = (error: unknown): string => {
  const isKnown = error instanceof StartupError || error instanceof InvalidConfig;
  if (isKnown) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
};

try {
  const config = loadConfig(process.env);
  const log = pino({ level: config.logLevel });
  const announceLate = (late: string): void => {
    print(credentialLines(late, `http://${config.host}:${config.port}`));
  };
  const { url, credential, stop } = await startService(config, log, announceLate);
  closeWithGrace({ delay: CLOSE_TIMEOUT_MS, logger: log }, async ({ signal, err }) => {
    if (err !== undefined) log.fatal({ err }, 'ending after an unexpected error');
    else log.info({ signal }, 'stopping');
    await stop();
  });
  const ready = `Chronoflag is ready on ${url} (documentation: ${url}/docs)`;
  print(['', ready, ...(credential === undefined ? [] : credentialLines(credential, url))]);
} catch (error) {
  process.stderr.write(`chronoflag: ${tell(error)}\n`);
  process.exitCode = 1;
}

import closeWithGrace from 'close-with-grace';
import { type Logger, pino } from 'pino';
import { PinoPretty } from 'pino-pretty';
import { type Config, loadConfig } from './config.js';
import { type FirstCredentials } from './composition/first-start.js';
import { endWith } from './cli/run-program.js';
import { startService } from './composition/service.js';

/** Longer than any request and the draining may take; then the process ends all the same. */
const CLOSE_TIMEOUT_MS = 30_000;

const credentialLines = ({ admin, server }: FirstCredentials, url: string): readonly string[] => [
  '',
  'The admin credential, shown this once:',
  `  ${admin}`,
  'Try it:',
  `  curl -H "authorization: Bearer ${admin}" ${url}/api/v1/projects/demo`,
  ...(server === undefined
    ? []
    : [
        '',
        'A server key, with which applications evaluate the flags of demo/production, shown this once:',
        `  ${server}`,
        'Try it:',
        `  curl -H "x-api-key: ${server}" ${url}/api/v1/projects/demo/environments/production/evaluate`,
      ]),
];

const print = (lines: readonly string[]): void => {
  process.stdout.write(`${lines.join('\n')}\n\n`);
};

/** Lines for people on a terminal, JSON everywhere else, unless LOG_FORMAT says which. */
const loggerOf = ({ logLevel: level, logFormat }: Config): Logger => {
  const isPretty = logFormat === 'auto' ? process.stdout.isTTY : logFormat === 'pretty';
  if (!isPretty) return pino({ level });
  const colorize = process.stdout.isTTY;
  return pino({ level }, PinoPretty({ colorize, ignore: 'pid,hostname', sync: true }));
};

const UNUSED = [
  'Nobody has used an admin credential yet. If the one of the first start is lost:',
  '  npm run credential -- replace',
];

try {
  const config = loadConfig(process.env);
  const log = loggerOf(config);
  const show = (issued: FirstCredentials): void => {
    print(credentialLines(issued, `http://${config.host}:${config.port}`));
  };
  const { url, isUnused, recordStart, stop } = await startService(config, log, show);
  closeWithGrace({ delay: CLOSE_TIMEOUT_MS, logger: log }, async ({ signal, err }) => {
    if (err !== undefined) log.fatal({ err }, 'ending after an unexpected error');
    else log.info({ signal }, 'stopping');
    await stop(err === undefined ? { signal: signal ?? 'unknown' } : { error: err.message });
  });
  void recordStart();
  const ready = `Chronoflag is ready on ${url} (documentation: ${url}/docs)`;
  print(['', ready, ...(isUnused ? UNUSED : [])]);
} catch (error) {
  endWith('chronoflag', error);
}

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Guardian } from './guardian/client.js';
import { StartupError } from './startup-error.js';

type EventStoreOptions = Readonly<{ dataDirectory: string; port: number; entry: string }>;

/** The built program of the embedded event store, seen from `src/embedded/stack/` and `dist/embedded/stack/` alike. */
export const EVENT_STORE_ENTRY = fileURLToPath(
  new URL('../../../dist/embedded/event-store/main.js', import.meta.url),
);

/** The most that a real server can be set to, about: commands on lists of 100 000 keys are one append. */
const MAX_APPEND_SIZE = '16000000';

export const eventStoreUrl = (port: number): string => `esdb://127.0.0.1:${port}?tls=false`;

/**
 * Starts the embedded event store on 127.0.0.1:`port` with its log in `<dataDirectory>/event-store`; gives its URL.
 * @throws LaunchError; StartupError when the program is not built.
 */
export const startEventStore = async (
  guardian: Guardian,
  options: EventStoreOptions,
): Promise<string> => {
  const { dataDirectory, port, entry } = options;
  if (!existsSync(entry)) throw new StartupError(`${entry} is missing; run: npm run build`);
  const log = join(dataDirectory, 'event-store');
  await guardian.start({
    name: 'event store',
    command: process.execPath,
    args: [entry, '--port', String(port), '--db', log, '--max-append-size', MAX_APPEND_SIZE],
    ready: '^event store listening on ',
    mark: log,
    stopSignals: ['SIGTERM'],
    graceMs: 8_000,
  });
  return eventStoreUrl(port);
};

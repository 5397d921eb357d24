import { parseArgs } from 'node:util';
import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js';
import { type EventStore, type EventStoreOptions, startEventStore } from './start.js';
import { DEFAULT_MAX_APPEND_BYTES } from './wire/errors.js';

/** The command line cannot be understood; the message is one line for the user. */
class UsageError extends Error {
  override readonly name = 'UsageError';
}

const DEFAULT_PORT = '2113';
const MAX_PORT = 65_535;
/** As a real server allows. */
const MOST_APPEND_BYTES = 16 * 1024 * 1024 - 10_000;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

const parse = (args: readonly string[]) => {
  try {
    return parseArgs({
      args: [...args],
      options: {
        db: { type: 'string' },
        port: { type: 'string', default: DEFAULT_PORT },
        host: { type: 'string', default: '127.0.0.1' },
        socket: { type: 'string' },
        check: { type: 'boolean' },
        'max-append-size': { type: 'string', default: `${DEFAULT_MAX_APPEND_BYTES}` },
        'insecure-allow-remote': { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
};

const portOf = (text: string): number => {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= MAX_PORT) return port;
  throw new UsageError(`--port must be a number from 0 to ${MAX_PORT}, not '${text}'.`);
};

const sizeOf = (text: string): number => {
  const size = Number(text);
  if (/^\d+$/.test(text) && size > 0 && size <= MOST_APPEND_BYTES) return size;
  throw new UsageError(
    `--max-append-size must be a number of bytes up to ${MOST_APPEND_BYTES}, not '${text}'.`,
  );
};

/**
 * Reads the command line. Without TLS clients send no credentials, so only loopback addresses are taken
 * unless `--insecure-allow-remote` says otherwise.
 * @throws UsageError
 */
const parseOptions = (args: readonly string[]): EventStoreOptions => {
  const values = parse(args);
  const { db: folder, host, socket, check } = values;
  if (folder === undefined || folder === '')
    throw new UsageError('--db <directory> is missing: where the events are kept.');
  if (!LOOPBACK.test(host) && !values['insecure-allow-remote'])
    throw new UsageError(
      `--host ${host} is reachable from elsewhere and this server has neither TLS nor logins; add --insecure-allow-remote to do it all the same.`,
    );
  return {
    folder,
    port: portOf(values.port),
    host,
    ...(check !== undefined && { check }),
    maxAppendBytes: sizeOf(values['max-append-size']),
    ...(socket !== undefined && { socket }),
  };
};

const EXIT_FAULT = 1;
const EXIT_USAGE = 2;

const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replaceAll('\n', ' ');

const fail = (error: unknown): never => {
  console.error(`event store: ${messageOf(error)}`);
  process.exit(error instanceof UsageError ? EXIT_USAGE : EXIT_FAULT);
};

const warn = (text: string): void => {
  console.error(`event store: ${text.replaceAll('\n', ' ')}`);
};

const onFault = (error: unknown): void => {
  fail(new Error(`The log cannot be written, stopping: ${messageOf(error)}`));
};

const closeOnSignal = (store: EventStore): void => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => {
      store.close().then(() => process.exit(0), fail);
    });
};

setLogVerbosity(logVerbosity.NONE); // what it would print is in the errors that are caught

try {
  const store = await startEventStore({ ...parseOptions(process.argv.slice(2)), onFault, warn });
  closeOnSignal(store);
  console.log(`event store listening on ${store.url}`);
} catch (error) {
  fail(error);
}

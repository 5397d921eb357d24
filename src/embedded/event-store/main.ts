import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js';
import { parseOptions, UsageError } from './options.js';
import { startEventStore, type EventStore } from './start.js';

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

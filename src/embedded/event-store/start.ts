import { openLog, type EventLog } from './log/log.js';
import { DEFAULT_MAX_APPEND_BYTES } from './wire/errors.js';
import { StorageError } from './storage/schema.js';
import { serve, type GrpcServer } from './node/server.js';

/** How to run an event store. */
export type EventStoreOptions = Readonly<{
  /** The directory of the log; created when missing. */
  folder: string;
  /** The TCP port; 0 lets the system choose. */
  port: number;
  /** @defaultValue '127.0.0.1' */
  host?: string;
  /** A unix socket to listen on as well. */
  socket?: string;
  /** Verify every stored event before serving. @defaultValue true for a small log, false above 32 MiB */
  check?: boolean;
  /** `MaxAppendSize` of a real server: what the events of one append may have together. @defaultValue 1 MiB */
  maxAppendBytes?: number;
  /**
   * Called when an fsync has failed: the server has stopped answering and must be started anew.
   * @defaultValue throws, which ends the process
   */
  onFault?: (error: unknown) => void;
  /** Called with what an operator should know while the server goes on. @defaultValue process.emitWarning */
  warn?: (text: string) => void;
}>;

/** A running event store; `url` is a connection string for `@eventstore/db-client`. */
export type EventStore = Readonly<{ url: string; port: number; close: () => Promise<void> }>;

const DEFAULT_HOST = '127.0.0.1';

const rethrow = (error: unknown): void => {
  throw error;
};

const emitWarning = (text: string): void => {
  process.emitWarning(text);
};

const urlHost = (host: string): string => (host.includes(':') ? `[${host}]` : host);

/** Gives the log back; what could not be tidied up is no reason to fail. */
const closeLog = (log: EventLog, warn: (text: string) => void): void => {
  try {
    log.close();
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    warn(error.message);
  }
};

/**
 * Starts an event store in this process.
 * @throws StorageError when the log cannot be opened or the address not be bound; its message says what to do
 */
export const startEventStore = async (options: EventStoreOptions): Promise<EventStore> => {
  const { folder, port, host = DEFAULT_HOST, socket, check } = options;
  const { onFault = rethrow, warn = emitWarning } = options;
  const { maxAppendBytes = DEFAULT_MAX_APPEND_BYTES } = options;
  let running: GrpcServer | undefined;
  const log = openLog(folder, {
    check,
    maxAppendBytes,
    warn,
    onFault: (error) => {
      void running?.stop().then(() => {
        onFault(error);
      });
    },
  });
  try {
    running = await serve(log, { host, port, ...(socket !== undefined && { socket }) });
  } catch (error) {
    closeLog(log, warn);
    throw error;
  }

  const { port: boundPort, stop } = running;
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await stop();
    closeLog(log, warn);
  };
  return {
    url: `esdb://${urlHost(host)}:${boundPort}?tls=false`,
    port: boundPort,
    close: () => (closing ??= close()),
  };
};

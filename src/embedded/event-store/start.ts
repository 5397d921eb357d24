import { openLog, type EventLog } from './log/log.js';
import { DEFAULT_MAX_APPEND_BYTES } from './wire/errors.js';
import { StorageError } from './storage/storage-error.js';
import { serve, type GrpcServer, type Listening } from './node/server.js';

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
   * Told when the log could not be written: the server has stopped answering and must be started anew.
   * @defaultValue throws, which ends the process
   */
  onFault?: (error: unknown) => void;
}>;

/** A running event store; `url` is a connection string for `@eventstore/db-client`. */
export type EventStore = Readonly<{ url: string; port: number; close: () => Promise<void> }>;

const DEFAULT_HOST = '127.0.0.1';

const rethrow = (error: unknown): void => {
  throw error;
};

const listen = async (log: EventLog, listening: Listening): Promise<GrpcServer> => {
  try {
    return await serve(log, listening);
  } catch (error) {
    log.close();
    throw new StorageError(
      'unusable',
      `Cannot listen on ${listening.host}:${listening.port}: ${String(error)}. Stop what uses the address, or choose another with --port.`,
      { cause: error },
    );
  }
};

const urlHost = (host: string): string => (host.includes(':') ? `[${host}]` : host);

/**
 * Starts an event store in this process.
 * @throws StorageError when the log cannot be opened or the address not be bound; its message says what to do
 */
export const startEventStore = async (options: EventStoreOptions): Promise<EventStore> => {
  const { folder, port, host = DEFAULT_HOST, socket, check, onFault = rethrow } = options;
  const { maxAppendBytes = DEFAULT_MAX_APPEND_BYTES } = options;
  let kill = (): void => undefined;
  const log = openLog(folder, {
    check,
    maxAppendBytes,
    onFault: (error) => {
      kill();
      onFault(error);
    },
  });
  const running = await listen(log, { host, port, ...(socket !== undefined && { socket }) });
  kill = running.kill;

  let closing: Promise<void> | undefined;
  return {
    url: `esdb://${urlHost(host)}:${running.port}?tls=false`,
    port: running.port,
    close: () => (closing ??= running.stop().then(log.close)),
  };
};

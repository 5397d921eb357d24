import { setImmediate as nextTurn } from 'node:timers/promises';
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import type { EventLog } from '../log/log.js';
import { appendHandler } from '../writes/append.js';
import { batchAppendHandler } from '../writes/batch-append.js';
import { deleteHandler } from '../writes/delete.js';
import { readHandler } from '../reads/read.js';
import { StorageError } from '../storage/storage-error.js';
import { CallError } from '../wire/errors.js';
import { gossipService, serverFeaturesService, streamsService } from '../wire/services.js';
import { gossipHandler } from './gossip.js';
import { openCalls, type OpenCalls } from './open-calls.js';
import { removeStaleSocket } from './stale-socket.js';
import { serverFeaturesHandler } from './server-features.js';

/** Where the server listens: TCP, and a unix socket as well when `socket` is given. */
export type Listening = Readonly<{ host: string; port: number; socket?: string }>;

/** A running gRPC server; `stop` answers what is in flight first. */
export type GrpcServer = Readonly<{ port: number; stop: () => Promise<void> }>;

/** As a real server: its clients may send 16 MiB of events and their frame. */
const RECEIVE_LIMIT_BYTES = 17 * 1024 * 1024;
const KEEPALIVE_MS = 10_000;
/** As a real server: the next call on the same connection waits until one of these is over. */
const STREAMS_PER_CONNECTION = 100;
const STOP_GRACE_MS = 1000;

const authorityOf = (host: string): string => (host.includes(':') ? `[${host}]` : host);

const bind = (server: Server, address: string): Promise<number> =>
  new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) => {
      if (error) reject(error);
      else resolve(port);
    });
  });

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const bindPort = (server: Server, { host, port }: Listening): Promise<number> =>
  bind(server, `${authorityOf(host)}:${port}`).catch((error: unknown) => {
    throw new StorageError(
      'unusable',
      `Cannot listen on ${host}:${port}: ${textOf(error)}. Stop what uses the address, or choose another with --port.`,
      { cause: error },
    );
  });

/** What fits the address of a unix socket; a longer path would be cut without a word. */
const MAX_SOCKET_BYTES = process.platform === 'darwin' ? 103 : 107;

const bindSocket = async (server: Server, path: string): Promise<void> => {
  const refused = (why: string, cause?: unknown) =>
    new StorageError(
      'unusable',
      `Cannot listen on the socket ${path}: ${why}. Choose another with --socket.`,
      { cause },
    );
  if (Buffer.byteLength(path) > MAX_SOCKET_BYTES)
    throw refused(`the path is longer than ${MAX_SOCKET_BYTES} bytes`);
  try {
    await removeStaleSocket(path);
    await bind(server, `unix:${path}`);
  } catch (error) {
    throw refused(textOf(error), error);
  }
};

const shutDown = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(() => {
      server.forceShutdown();
      resolve();
    }, STOP_GRACE_MS);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });

const stopping = (server: Server, log: EventLog, calls: OpenCalls) => async (): Promise<void> => {
  const done = shutDown(server);
  await log.settled();
  await nextTurn(); // by then the answers to what was settled are written
  calls.endAll(new CallError(status.UNAVAILABLE, 'The event store is stopping.'));
  await done;
};

/**
 * Serves the log. Services that are not here (persistent subscriptions, projections, users, operations)
 * answer UNIMPLEMENTED by themselves.
 * @throws StorageError when an address cannot be bound
 */
export const serve = async (log: EventLog, listening: Listening): Promise<GrpcServer> => {
  const server = new Server({
    'grpc.max_receive_message_length': RECEIVE_LIMIT_BYTES,
    'grpc.max_send_message_length': -1,
    'grpc.keepalive_time_ms': KEEPALIVE_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_MS,
    'grpc.max_concurrent_streams': STREAMS_PER_CONNECTION,
  });
  const calls = openCalls();
  server.addService(streamsService, {
    read: readHandler(log, calls),
    append: appendHandler(log),
    batchAppend: batchAppendHandler(log, calls),
    delete: deleteHandler(log.softDelete),
    tombstone: deleteHandler(log.tombstone),
  });
  server.addService(serverFeaturesService, { getSupportedMethods: serverFeaturesHandler() });
  server.addService(gossipService, { read: gossipHandler(listening) });

  try {
    const port = await bindPort(server, listening);
    if (listening.socket !== undefined) await bindSocket(server, listening.socket);
    return { port, stop: stopping(server, log, calls) };
  } catch (error) {
    server.forceShutdown();
    throw error;
  }
};

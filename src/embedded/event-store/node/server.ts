import { createServer } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Server, status } from '@grpc/grpc-js';
import { type EventLog } from '../log/log.js';
import { openCalls, type OpenCalls } from '../reads/outlet.js';
import { readHandler } from '../reads/read.js';
import { StorageError } from '../storage/schema.js';
import { CallError } from '../wire/errors.js';
import { gossipService, serverFeaturesService, streamsService } from '../wire/services.js';
import { appendHandler, deleteHandler } from '../writes/append.js';
import { batchAppendHandler } from '../writes/batch-append.js';
import { listeners, type Listeners, roomForCalls } from './connections.js';
import { serverFeaturesHandler } from './info.js';
import { gossipHandler, nodeAt, statusPages } from './status.js';

/** Where the server listens: TCP, and a unix socket as well when `socket` is given. */
export type Listening = Readonly<{ host: string; port: number; socket?: string }>;

/** A running gRPC server; `stop` answers what is in flight first. */
export type GrpcServer = Readonly<{ port: number; stop: () => Promise<void> }>;

/** As a real server: its clients may send 16 MiB of events and their frame. */
const RECEIVE_LIMIT_BYTES = 17 * 1024 * 1024;
const KEEPALIVE_MS = 10_000;
const STOP_GRACE_MS = 1000;

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const bindPort = (at: Listeners, { host, port }: Listening): Promise<number> =>
  at.bindPort(host, port).catch((error: unknown) => {
    throw new StorageError(
      'unusable',
      `Cannot listen on ${host}:${port}: ${textOf(error)}. Stop what uses the address, or choose another with --port.`,
      { cause: error },
    );
  });

/** What fits the address of a unix socket; a longer path would be cut without a word. */
const MAX_SOCKET_BYTES = process.platform === 'darwin' ? 103 : 107;

const bindSocket = async (at: Listeners, path: string): Promise<void> => {
  const refused = (why: string, cause?: unknown) =>
    new StorageError(
      'unusable',
      `Cannot listen on the socket ${path}: ${why}. Choose another with --socket.`,
      { cause },
    );
  if (Buffer.byteLength(path) > MAX_SOCKET_BYTES)
    throw refused(`the path is longer than ${MAX_SOCKET_BYTES} bytes`);
  try {
    await at.bindSocket(path);
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

type Running = Readonly<{ log: EventLog; calls: OpenCalls; server: Server; at: Listeners }>;

const stopping =
  ({ log, calls, server, at }: Running) =>
  async (): Promise<void> => {
    const closed = at.close();
    const done = shutDown(server);
    await log.settled();
    await nextTurn(); // by then the answers to what was settled are written
    calls.endAll(new CallError(status.UNAVAILABLE, 'The event store is stopping.'));
    await done;
    await closed;
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
    'grpc.max_concurrent_streams': roomForCalls,
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
  const node = nodeAt(listening);
  server.addService(gossipService, { read: gossipHandler(node) });
  const at = listeners({ grpc: server, http: createServer(statusPages(log, node)) });

  try {
    const port = await bindPort(at, listening);
    if (listening.socket !== undefined) await bindSocket(at, listening.socket);
    return { port, stop: stopping({ log, calls, server, at }) };
  } catch (error) {
    await at.close();
    throw error;
  }
};

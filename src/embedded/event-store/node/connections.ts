import { lookup } from 'node:dns/promises';
import { EventEmitter, once } from 'node:events';
import { rmSync } from 'node:fs';
import type { Server as HttpServer } from 'node:http';
import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import {
  type AddressInfo,
  connect,
  createServer,
  type Server as Listener,
  type Socket,
} from 'node:net';
import { Duplex } from 'node:stream';
import { type Server, ServerCredentials } from '@grpc/grpc-js';

/**
 * Node's HTTP/2 server breaks a connection off, with all its calls, when about 1000 of them were cut off by the client
 * within seconds, and Node 20 has no setting for that. So after half as many the client is asked to make its next
 * calls on a new connection. Those that run here go on, and the limit no longer holds here.
 */
const CUT_CALLS_PER_CONNECTION = 500;
const EVERY_STREAM = 2 ** 31 - 1;

const watchCutCalls = (session: ServerHttp2Session): void => {
  let cutCalls = 0;
  session.on('stream', (stream: ServerHttp2Stream) => {
    stream.once('close', () => {
      if (stream.rstCode === constants.NGHTTP2_NO_ERROR || session.destroyed) return;
      if (++cutCalls === CUT_CALLS_PER_CONNECTION)
        session.goaway(constants.NGHTTP2_NO_ERROR, EVERY_STREAM);
    });
  });
};

const isSession = (value: unknown): value is ServerHttp2Session =>
  value instanceof EventEmitter && 'goaway' in value;

/** As a real server: a client keeps further calls back until one of these ends. */
const CALLS_PER_CONNECTION = 100;

/**
 * Node 22 and later count a call that the client cut off until what arrived with it was read, and refuse the call
 * that the client made in its place. They are given twice the room, and the client is shown the limit.
 */
const COUNTS_CUT_CALLS = Number(process.versions.node.split('.')[0]) > 20;

/** For the gRPC server: `grpc.max_concurrent_streams`. */
export const roomForCalls = COUNTS_CUT_CALLS ? 2 * CALLS_PER_CONNECTION : CALLS_PER_CONNECTION;

const FRAME_HEADER_BYTES = 9;
const SETTING_BYTES = 6;
const SETTINGS_TYPE = 4;

/** Writes the limit into the first frame of a connection, which are the server's settings (RFC 9113, 6.5). */
const showLimit = (frame: Buffer): void => {
  if (frame[3] !== SETTINGS_TYPE) return;
  const end = FRAME_HEADER_BYTES + frame.readUIntBE(0, 3);
  for (let at = FRAME_HEADER_BYTES; at < end; at += SETTING_BYTES)
    if (frame.readUInt16BE(at) === constants.NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS)
      frame.writeUInt32BE(CALLS_PER_CONNECTION, at + 2);
};

/** The socket, with the limit in what it sends first. */
const withLimitShown = (socket: Socket): Duplex => {
  let isFirst = true;
  const shown = new Duplex({
    read: () => {
      socket.resume();
    },
    write: (chunk: Buffer, _encoding, done) => {
      if (isFirst) showLimit(chunk);
      isFirst = false;
      if (socket.write(chunk)) done();
      else
        socket.once('drain', () => {
          done();
        });
    },
    final: (done) => {
      socket.end(done);
    },
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  socket
    .on('data', (chunk: Buffer) => {
      if (!shown.push(chunk)) socket.pause();
    })
    .on('end', () => {
      shown.push(null);
    })
    .on('error', (error) => {
      shown.destroy(error);
    })
    .on('close', () => {
      shown.destroy();
    });
  return shown;
};

/** grpc-js keeps its sessions to itself, as the keys of a map. */
const newestSession = (server: Server): ServerHttp2Session | undefined => {
  const sessions: unknown = Reflect.get(server, 'sessions');
  const newest: unknown = sessions instanceof Map ? [...sessions.keys()].at(-1) : undefined;
  return isSession(newest) ? newest : undefined;
};

const grpcConnections = (server: Server): ((socket: Socket) => void) => {
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  return (socket) => {
    injector.injectConnection(COUNTS_CUT_CALLS ? withLimitShown(socket) : socket);
    const session = newestSession(server);
    if (session) watchCutCalls(session);
  };
};

/** What every HTTP/2 client sends first, and no HTTP/1 request begins with. */
const HTTP2_PREFACE = 'PRI';

/** A connection that says nothing for this long is closed. */
const SILENCE_MS = 20_000;

/** Calls `serve` when enough has arrived to tell which protocol it is; all that arrived is left to be read. */
const whenKnown = (socket: Socket, serve: (isHttp2: boolean) => void): void => {
  let head = Buffer.alloc(0);
  const close = (): void => {
    socket.destroy();
  };
  const onData = (chunk: Buffer): void => {
    head = Buffer.concat([head, chunk]);
    const start = head.toString('latin1', 0, HTTP2_PREFACE.length);
    if (start.length < HTTP2_PREFACE.length && HTTP2_PREFACE.startsWith(start)) return;
    socket.off('data', onData).off('error', close).off('timeout', close).setTimeout(0);
    socket.pause();
    socket.unshift(head);
    serve(start === HTTP2_PREFACE);
  };
  socket.on('data', onData).on('error', close).on('timeout', close).setTimeout(SILENCE_MS);
};

const errorOfConnecting = (path: string): Promise<string | undefined> =>
  new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(undefined);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code);
    });
  });

/** Removes the unix socket a killed process left behind: it is there and nobody answers. */
const removeStaleSocket = async (path: string): Promise<void> => {
  if ((await errorOfConnecting(path)) === 'ECONNREFUSED') rmSync(path, { force: true });
};

/** The protocols that share a port, told apart by their first bytes. */
export type Protocols = Readonly<{ grpc: Server; http: HttpServer }>;

/** Listeners of one server; `close` also ends the connections that do not speak gRPC. */
export type Listeners = Readonly<{
  /** Listens on all addresses that `host` stands for; returns the port. */
  bindPort: (host: string, port: number) => Promise<number>;
  bindSocket: (path: string) => Promise<void>;
  close: () => Promise<void>;
}>;

/** Accepts connections and hands each to the server of its protocol. */
export const listeners = ({ grpc, http }: Protocols): Listeners => {
  const open: Listener[] = [];
  const others = new Set<Socket>();
  const serveGrpc = grpcConnections(grpc);

  const accept = (socket: Socket): void => {
    others.add(socket);
    socket.once('close', () => {
      others.delete(socket);
    });
    whenKnown(socket, (isHttp2) => {
      if (isHttp2) {
        others.delete(socket);
        serveGrpc(socket);
      } else {
        http.emit('connection', socket);
        socket.resume();
      }
    });
  };

  const bind = async (address: Readonly<{ host: string; port: number } | { path: string }>) => {
    const listener = createServer({ noDelay: true }, accept);
    listener.listen(address);
    await once(listener, 'listening');
    open.push(listener);
    return listener;
  };

  const bindPort = async (host: string, port: number): Promise<number> => {
    const [first, ...rest] = await lookup(host, { all: true });
    if (!first) throw new Error(`${host} has no address`);
    const listener = await bind({ host: first.address, port });
    const { port: bound } = listener.address() as AddressInfo;
    for (const { address } of rest)
      await bind({ host: address, port: bound }).catch(() => undefined);
    return bound;
  };

  return {
    bindPort,
    bindSocket: async (path) => {
      await removeStaleSocket(path);
      await bind({ path });
    },
    close: async () => {
      for (const socket of others) socket.destroy();
      await Promise.all(open.map((listener) => new Promise((resolve) => listener.close(resolve))));
    },
  };
};

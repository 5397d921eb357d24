import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePort } from '../../support/free-port.js';

/**
 * - `pass`: forwards both ways
 * - `refuse`: nobody listens, and every connection is reset
 * - `silent`: accepts, takes what is sent and passes nothing on, either way, as on a half-open connection. What was
 *   held is forwarded when it passes again, as after a network partition
 * - `stale`: the connections there are stay silent for good, as when the peer has vanished; new ones pass
 * - `deaf`: forwards to the server, drops all that the server answers. Such a connection is of no further use and is
 *   reset when the mode changes
 */
export type ProxyMode = 'pass' | 'refuse' | 'silent' | 'stale' | 'deaf';

type Pair = Readonly<{ client: Socket; upstream: Socket }>;

/** A reset after `end` leaves Node with a handle that never closes: the process would not end. */
const reset = (socket: Socket): void => {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
};

const sever = ({ client, upstream }: Pair): void => {
  reset(client);
  reset(upstream);
};

const closed = (server: Server): Promise<unknown> => {
  const closing = once(server, 'close');
  server.close();
  return closing;
};

/** In front of a server on 127.0.0.1, on a port of its own that stays the same. */
export const tcpProxy = async (targetPort: number) => {
  const port = await freePort();
  const pairs = new Set<Pair>();
  let mode: ProxyMode = 'pass';
  let repliesLeft = Infinity;
  let server: Server | undefined;

  let delayMs = 0;
  /** In order, as long as the distance stays the same. */
  const travel = (arrive: () => void): void => {
    if (delayMs === 0) arrive();
    else setTimeout(arrive, delayMs);
  };

  let lost: ReadonlySet<Pair> = new Set();
  const flow = (pair: Pair): void => {
    for (const socket of [pair.client, pair.upstream]) {
      if (mode === 'silent' || lost.has(pair)) socket.pause();
      else socket.resume();
    }
  };

  const carry = (pair: Pair): void => {
    const { client, upstream } = pair;
    client.on('data', (chunk) => {
      travel(() => upstream.write(chunk));
    });
    upstream.on('data', (chunk) => {
      if (mode === 'deaf') repliesLeft -= chunk.length;
      if (mode !== 'deaf' || repliesLeft >= 0) travel(() => client.write(chunk));
    });
    client.on('end', () => upstream.end());
    upstream.on('end', () => mode !== 'deaf' && client.end());
    for (const socket of [client, upstream]) {
      socket.on('error', () => undefined);
      socket.setNoDelay(true);
    }
    const forget = (): void => {
      pairs.delete(pair);
    };
    client.on('close', () => {
      forget();
      upstream.destroy();
    });
    upstream.on('close', () => {
      forget();
      client.destroy();
    });
  };

  const accept = (client: Socket): void => {
    const upstream = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true });
    const pair = { client, upstream };
    pairs.add(pair);
    carry(pair);
    flow(pair);
  };

  const severAll = (): void => {
    for (const pair of [...pairs]) sever(pair);
  };

  const listen = async (): Promise<void> => {
    server ??= createServer({ allowHalfOpen: true }, accept);
    if (server.listening) return;
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };

  const shut = async (): Promise<void> => {
    severAll();
    if (server?.listening === true) await closed(server);
  };

  await listen();
  return {
    port,
    /** Connections now. */
    count: (): number => pairs.size,
    /** Changes what happens to connections, old and new. `afterBytes`: how much of the answers a deaf proxy lets pass. */
    turn: async (next: ProxyMode, { afterBytes = 0 } = {}): Promise<void> => {
      const isSpoilt = mode === 'deaf' && next !== 'deaf';
      mode = next;
      if (next === 'stale') lost = new Set(pairs);
      repliesLeft = afterBytes;
      if (isSpoilt) severAll();
      if (next === 'refuse') await shut();
      else await listen();
      for (const pair of pairs) flow(pair);
    },
    /** Puts the server so far away: every byte travels that long, each way. */
    delay: (ms: number): void => {
      delayMs = ms;
    },
    /** Resets every connection; new ones are accepted. */
    reset: severAll,
    close: shut,
  };
};

export type TcpProxy = Awaited<ReturnType<typeof tcpProxy>>;

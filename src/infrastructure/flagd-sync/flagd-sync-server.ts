import { readFile } from 'node:fs/promises';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { syncHandlers, syncService, type SyncSources } from './sync-handlers.js';

/** Paths of PEM files. */
export type TlsFiles = Readonly<{ certificate: string; privateKey: string }>;

export type FlagdSyncOptions = SyncSources &
  Readonly<{
    host: string;
    /** 0: any free one. */
    port: number;
    /** Absent: without encryption, for a private network or behind a proxy. */
    tls?: TlsFiles | undefined;
  }>;

const KEEPALIVE_MS = 30_000;
const STOP_GRACE_MS = 500;

const credentialsFrom = async (tls: TlsFiles | undefined): Promise<ServerCredentials> => {
  if (tls === undefined) return ServerCredentials.createInsecure();
  const [chain, key] = await Promise.all([readFile(tls.certificate), readFile(tls.privateKey)]);
  return ServerCredentials.createSsl(null, [{ cert_chain: chain, private_key: key }]);
};

const bind = (server: Server, address: string, credentials: ServerCredentials): Promise<number> =>
  new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => {
      if (error) reject(error);
      else resolve(port);
    });
  });

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

/**
 * Serves flagd's sync protocol, so that in-process providers of every language follow an environment live. Rejects when
 * the address cannot be bound or a file cannot be read.
 */
export const startFlagdSync = async ({ host, port, tls, ...sources }: FlagdSyncOptions) => {
  const server = new Server({
    'grpc.keepalive_time_ms': KEEPALIVE_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_MS,
    'grpc.max_send_message_length': -1,
  });
  const { handlers, checkKeys, close } = syncHandlers(sources);
  server.addService(syncService, handlers);
  const authority = host.includes(':') ? `[${host}]` : host;
  const boundPort = await bind(server, `${authority}:${port}`, await credentialsFrom(tls));
  return {
    port: boundPort,
    checkKeys,
    stop: async (): Promise<void> => {
      close();
      await shutDown(server);
    },
  };
};

import { readFile } from 'node:fs/promises';
import {
  type Metadata,
  type sendUnaryData,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  status,
  StatusBuilder,
} from '@grpc/grpc-js';
import { type ApplicationKey } from '../../domain/api-key.js';
import { decodeRequest, type Documents, type SyncRequest } from './documents.js';

/** The key of an application that a text is; undefined when it is none that is valid. */
type VerifyKey = (key: string) => ApplicationKey | undefined;

/** What a call is ended with. */
const refusal = (code: status, details: string) =>
  new StatusBuilder().withCode(code).withDetails(details).build();

const textOf = (metadata: Metadata, name: string): string | undefined => {
  const [value] = metadata.get(name);
  return typeof value === 'string' ? value : undefined;
};

const BEARER = /^Bearer +(\S+)$/i;

/**
 * Where providers can put a key: in the metadata, or, as most of them let nothing else be set, in the selector, which
 * is not needed here: the key says which environment it is for.
 */
const keysIn = (metadata: Metadata, selector: string): readonly (string | undefined)[] => [
  BEARER.exec(textOf(metadata, 'authorization') ?? '')?.[1],
  textOf(metadata, 'x-api-key'),
  textOf(metadata, 'flagd-selector'),
  selector,
];

/** The server key that a call is made with; undefined when there is none. */
const serverKeyOf = (
  metadata: Metadata,
  { selector }: SyncRequest,
  verifyKey: VerifyKey,
): ApplicationKey | undefined => {
  for (const text of keysIn(metadata, selector)) {
    const key = text === undefined ? undefined : verifyKey(text);
    if (key?.kind === 'server') return key;
  }
  return undefined;
};

type Stream = ServerWritableStream<SyncRequest, Buffer>;

/**
 * Writes the document of an environment now and after every change that alters it. A reader that is slow gets the
 * newest when it is ready, not all that it missed. Returns what looks again.
 */
const followDocument = (
  stream: Stream,
  environmentId: string,
  documents: Documents,
): (() => void) => {
  let sent: string | undefined;
  let isFull = false;

  const look = (): void => {
    if (isFull) return;
    const document = documents.of(environmentId);
    if (document === undefined) {
      stream.emit('error', refusal(status.NOT_FOUND, 'The environment is not there.'));
      return;
    }
    if (document.tag === sent) return;
    sent = document.tag;
    isFull = !stream.write(document.message);
  };

  stream.on('drain', () => {
    isFull = false;
    look();
  });
  look();
  return look;
};

const asEncoded = (message: Buffer): Buffer => message;

const method = (name: string, responseStream: boolean) => ({
  path: `/flagd.sync.v1.FlagSyncService/${name}`,
  requestStream: false,
  responseStream,
  requestSerialize: asEncoded,
  requestDeserialize: decodeRequest,
  responseSerialize: asEncoded,
  responseDeserialize: asEncoded,
});

/** flagd's sync service; an answer is encoded already. */
const syncService: ServiceDefinition = {
  syncFlags: method('SyncFlags', true),
  fetchAllFlags: method('FetchAllFlags', false),
  getMetadata: method('GetMetadata', false),
};

type SyncSources = Readonly<{
  documents: Documents;
  verifyKey: VerifyKey;
  /** Whether a key that was valid still is. */
  isValid: (keyId: string) => boolean;
}>;

type OpenStream = Readonly<{
  key: ApplicationKey;
  look: () => void;
  end: (code: status, details: string) => void;
}>;

const NO_KEY = 'Send a server key: as authorization or x-api-key metadata, or as the selector.';

/** The handlers of the service, and what reaches all streams that are open. */
const syncHandlers = ({ documents, verifyKey, isValid }: SyncSources) => {
  const streams = new Set<OpenStream>();

  const syncFlags = (stream: ServerWritableStream<SyncRequest, Buffer>): void => {
    const end = (code: status, details: string): void => {
      stream.emit('error', refusal(code, details));
    };
    const key = serverKeyOf(stream.metadata, stream.request, verifyKey);
    if (key === undefined) {
      end(status.UNAUTHENTICATED, NO_KEY);
      return;
    }
    const open = { key, look: followDocument(stream, key.environmentId, documents), end };
    streams.add(open);
    const forget = (): void => {
      streams.delete(open);
    };
    stream.on('cancelled', forget).on('close', forget).on('error', forget);
  };

  const fetchAllFlags = (
    { metadata, request }: ServerUnaryCall<SyncRequest, Buffer>,
    answer: sendUnaryData<Buffer>,
  ): void => {
    const key = serverKeyOf(metadata, request, verifyKey);
    const document = key && documents.of(key.environmentId);
    if (key === undefined) answer(refusal(status.UNAUTHENTICATED, NO_KEY));
    else if (document === undefined) answer(refusal(status.NOT_FOUND, 'There is nothing yet.'));
    else answer(null, document.message);
  };

  /** Deprecated by flagd; there is nothing to tell. */
  const getMetadata = (_: unknown, answer: sendUnaryData<Buffer>): void => {
    answer(null, Buffer.alloc(0));
  };

  const unsubscribe = documents.subscribe((touched) => {
    for (const { key, look } of streams) if (touched.includes(key.environmentId)) look();
  });

  return {
    handlers: { syncFlags, fetchAllFlags, getMetadata },
    /** Ends the streams of keys that are valid no longer. */
    checkKeys: (): void => {
      for (const { key, end } of streams) {
        if (!isValid(key.keyId)) end(status.UNAUTHENTICATED, 'The key is valid no longer.');
      }
    },
    close: (): void => {
      unsubscribe();
      for (const { end } of streams) end(status.UNAVAILABLE, 'The service is stopping.');
    },
  };
};

/** Paths of PEM files. */
type TlsFiles = Readonly<{ certificate: string; privateKey: string }>;

type FlagdSyncOptions = SyncSources &
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

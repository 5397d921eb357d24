import {
  type sendUnaryData,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  status,
} from '@grpc/grpc-js';
import { type ApplicationKey } from '../../domain/organization/application-key.js';
import { type Documents } from './documents.js';
import { refusal, serverKeyOf, type VerifyKey } from './server-key.js';
import { followDocument } from './follow-document.js';
import { decodeRequest, type SyncRequest } from './messages.js';

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
export const syncService: ServiceDefinition = {
  syncFlags: method('SyncFlags', true),
  fetchAllFlags: method('FetchAllFlags', false),
  getMetadata: method('GetMetadata', false),
};

export type SyncSources = Readonly<{
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
export const syncHandlers = ({ documents, verifyKey, isValid }: SyncSources) => {
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

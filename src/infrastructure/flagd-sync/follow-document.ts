import { type ServerWritableStream, status } from '@grpc/grpc-js';
import { type Documents } from './documents.js';
import { refusal } from './server-key.js';
import { type SyncRequest } from './messages.js';

type Stream = ServerWritableStream<SyncRequest, Buffer>;

/**
 * Writes the document of an environment now and after every change that alters it. A reader that is slow gets the
 * newest when it is ready, not all that it missed. Returns what looks again.
 */
export const followDocument = (
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

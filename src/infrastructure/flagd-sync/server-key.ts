import { type Metadata, type status, StatusBuilder } from '@grpc/grpc-js';
import { type ApplicationKey } from '../../domain/organization/application-key.js';
import { type SyncRequest } from './messages.js';

/** The key of an application that a text is; undefined when it is none that is valid. */
export type VerifyKey = (key: string) => ApplicationKey | undefined;

/** What a call is ended with. */
export const refusal = (code: status, details: string) =>
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
export const serverKeyOf = (
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

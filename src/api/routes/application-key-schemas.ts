import { type Static, Type } from '@sinclair/typebox';
import { type ApplicationKeyKind } from '../../domain/organization/events.js';
import { CommandAnswer } from '../command-route.js';
import { closed, Key, Timestamp } from '../schemas.js';

export const Params = Type.Object({ project: Key, environment: Key });
export const KeyParams = Type.Object({
  project: Key,
  environment: Key,
  key: Type.String({ pattern: '^[0-9A-Za-z]{12}$', description: 'The id of the key.' }),
});
const Kind = Type.Union([Type.Literal('server'), Type.Literal('client')], {
  description: 'client: may be seen by anybody, so it only evaluates all flags at once.',
});
export const NewKey = Type.Object(
  {
    kind: Kind,
    name: Type.String({ minLength: 1, maxLength: 255 }),
    expiresAt: Type.Optional(
      Type.String({ format: 'date-time', description: 'RFC 3339; absent: never.' }),
    ),
  },
  closed,
);
export const IssuedKey = Type.Composite([
  CommandAnswer,
  Type.Object({
    keyId: Type.String(),
    key: Type.Optional(
      Type.String({ description: 'Only in the first answer: it is kept nowhere.' }),
    ),
  }),
]);
const Moment = Type.Union([Timestamp, Type.Null()]);
const Listed = Type.Object({
  keyId: Type.String(),
  kind: Kind,
  name: Type.String(),
  status: Type.Union([Type.Literal('active'), Type.Literal('expired'), Type.Literal('revoked')]),
  issuedAt: Timestamp,
  expiresAt: Moment,
  revokedAt: Moment,
  lastUsedAt: Moment,
});

export const KeyList = Type.Object({ items: Type.Array(Listed) });

/** What is kept of a key besides its hash. */
export type ListedKey = Readonly<{
  keyId: string;
  kind: ApplicationKeyKind;
  name: string;
  issuedAt: Date;
  expiresAt: Date | null;
  revokedAt: Date | null;
  lastUsedAt: Date | null;
}>;

const statusOf = ({ revokedAt, expiresAt }: ListedKey): Static<typeof Listed>['status'] => {
  if (revokedAt !== null) return 'revoked';
  return expiresAt !== null && expiresAt.getTime() <= Date.now() ? 'expired' : 'active';
};

/** A key as it is listed. */
export const viewOf = (key: ListedKey): Static<typeof Listed> => ({
  keyId: key.keyId,
  kind: key.kind,
  name: key.name,
  status: statusOf(key),
  issuedAt: key.issuedAt.toISOString(),
  expiresAt: key.expiresAt?.toISOString() ?? null,
  revokedAt: key.revokedAt?.toISOString() ?? null,
  lastUsedAt: key.lastUsedAt?.toISOString() ?? null,
});

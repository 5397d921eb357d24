import { type Static, type TObject, Type } from '@sinclair/typebox';
import { Timestamp } from '../../schemas.js';
import { type Lifecycle } from '../../../identity/key-ports.js';

const Moment = Type.Union([Timestamp, Type.Null()]);

/** What is told of every key and token. */
export const lifecycle = {
  status: Type.Union([Type.Literal('active'), Type.Literal('expired'), Type.Literal('revoked')]),
  issuedAt: Timestamp,
  expiresAt: Moment,
  revokedAt: Moment,
  rotatedAt: Moment,
  overlapUntil: Type.Union([Timestamp, Type.Null()], {
    description: 'Until when the secret before the last rotation counts.',
  }),
  lastUsedAt: Type.Union([Timestamp, Type.Null()], { description: 'To the minute or so.' }),
};

type View = Static<TObject<typeof lifecycle>>;

const statusOf = ({ revokedAt, expiresAt }: Lifecycle): View['status'] => {
  if (revokedAt !== null) return 'revoked';
  return expiresAt !== null && expiresAt.getTime() <= Date.now() ? 'expired' : 'active';
};

const textOf = (moment: Date | null): string | null => moment?.toISOString() ?? null;

export const lifecycleOf = (key: Lifecycle): View => ({
  status: statusOf(key),
  issuedAt: key.issuedAt.toISOString(),
  expiresAt: textOf(key.expiresAt),
  revokedAt: textOf(key.revokedAt),
  rotatedAt: textOf(key.rotatedAt),
  overlapUntil: textOf(key.previousUntil),
  lastUsedAt: textOf(key.lastUsedAt),
});

const DAYS = { minimum: 1, maximum: 3_650 };

/** Asks only for what counts and was not used for so long, nor issued since. */
export const unusedForDays = {
  unusedForDays: Type.Optional(
    Type.Integer({
      ...DAYS,
      description: 'Only active ones, not used (nor issued) for so many days.',
    }),
  ),
};

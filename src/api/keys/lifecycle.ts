import { type Static, type TObject, Type } from '@sinclair/typebox';
import { DomainError } from '../../domain/decider.js';
import { type Lifecycle } from '../../identity/ports.js';
import { parseTime } from '../../queries/time.js';
import { closed, Timestamp } from '../http/schemas.js';

const Moment = Type.Union([Timestamp, Type.Null()]);

/** What is told of every key and token. */
export const lifecycle = {
  status: Type.Union([Type.Literal('active'), Type.Literal('expired'), Type.Literal('revoked')]),
  issuedAt: Timestamp,
  expiresAt: Moment,
  revokedAt: Moment,
  rotatedAt: Moment,
  overlapUntil: Type.Union([Timestamp, Type.Null()], {
    description: 'When the secret before the last rotation expires.',
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

const DAY_SECONDS = 86_400;
const MAX_OVERLAP_SECONDS = 30 * DAY_SECONDS;

/** A body may be left out: then all defaults hold. */
export const RotateBody = Type.Object(
  {
    overlapSeconds: Type.Integer({
      minimum: 0,
      maximum: MAX_OVERLAP_SECONDS,
      default: DAY_SECONDS,
      description: 'How long the old secret stays valid beside the new one.',
    }),
  },
  closed,
);

/** The times that a rotation which is asked for now is decided by. */
export const rotationNow = (overlapSeconds: number) => ({
  now: new Date().toISOString(),
  overlapUntil: new Date(Date.now() + overlapSeconds * 1_000).toISOString(),
});

/** @throws DomainError `expiry-in-past`, `malformed-time` */
export const expiryOf = (text: string | undefined): Date | undefined => {
  if (text === undefined) return undefined;
  const expiresAt = new Date(parseTime(text).floorMs);
  if (expiresAt.getTime() > Date.now()) return expiresAt;
  throw new DomainError('expiry-in-past', `${text} has passed; the key could never be used.`);
};

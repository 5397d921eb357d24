import { Type } from '@sinclair/typebox';
import { DomainError } from '../../../domain/decider.js';
import { parseTime } from '../../../queries/moments/parse-time.js';
import { closed } from '../../schemas.js';

const DAY_SECONDS = 86_400;
const MAX_OVERLAP_SECONDS = 30 * DAY_SECONDS;

/** A body may be left out: then all defaults hold. */
export const RotateBody = Type.Object(
  {
    overlapSeconds: Type.Integer({
      minimum: 0,
      maximum: MAX_OVERLAP_SECONDS,
      default: DAY_SECONDS,
      description: 'How long the secret of until now goes on counting, next to the new one.',
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

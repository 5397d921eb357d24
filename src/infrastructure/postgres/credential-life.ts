/** What becomes of a key or token, as it may be shown. */
export type CredentialLife = Readonly<{
  issuedAt: Date;
  expiresAt: Date | null;
  revokedAt: Date | null;
  rotatedAt: Date | null;
  /** Until when the secret before the last rotation counts. */
  previousUntil: Date | null;
  /** To the minute or so. */
  lastUsedAt: Date | null;
}>;

/** The columns of a CredentialLife, of `chronoflag.credentials c`. */
export const LIFE = `c.issued_at as "issuedAt", c.expires_at as "expiresAt",
              c.revoked_at as "revokedAt", c.rotated_at as "rotatedAt",
              c.previous_until as "previousUntil", c.last_used_at as "lastUsedAt"`;

/** Everything, or when that parameter is a number: what counts, and was neither used nor issued in so many days. */
export const isUnusedFor = (parameter: `$${number}`): string => `(${parameter}::integer is null
               or c.revoked_at is null
                  and coalesce(c.expires_at > now(), true)
                  and coalesce(c.last_used_at, c.issued_at) < now() - make_interval(days => ${parameter}))`;

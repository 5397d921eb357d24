import { type Pool } from 'pg';
import { type Grants } from '../../domain/access/grants.js';
import { type ProjectRoles, type Role } from '../../domain/access/permission.js';
import { type NewSecret } from './secrets.js';

/** A key or token without its secret. */
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

/** What is kept of an API token that is not revoked; of its secrets only the SHA-256. */
export type CredentialRow = Readonly<{
  organizationId: string;
  sha256: Buffer;
  /** Hash of the secret before the last rotation, and until when it is accepted. */
  previousSha256: Buffer | null;
  previousUntil: Date | null;
  role: Role;
  projects: ProjectRoles;
  expiresAt: Date | null;
}>;

/** What may be shown of a token. */
type ListedToken = CredentialLife &
  Readonly<{ keyId: string; name: string; role: Role; projects: ProjectRoles }>;

type NewToken = Readonly<{
  organizationId: string;
  name: string;
  grants: Grants;
  expiresAt: Date | null;
}>;

/**
 * `revision`: of the event that a secret is made for. Nothing is changed when there is a secret for it, or for a later
 * one, or when the key was revoked: the new secret would not work.
 */
export type Rotation = Readonly<{ overlapUntil: Date; revision: number }>;

type ListTokens = Readonly<{
  organizationId: string;
  /** Only those that count and were not used for so many days, nor issued in them. */
  unusedForDays?: number | undefined;
}>;

/** API tokens in Postgres. A secret itself is nowhere. */
export const credentialTable = (pool: Pool) => ({
  find: async (keyId: string): Promise<CredentialRow | undefined> => {
    const { rows } = await pool.query<CredentialRow>({
      name: 'find_credential',
      text: `select c.organization_id as "organizationId", c.secret_sha256 as sha256,
                    c.previous_sha256 as "previousSha256", c.previous_until as "previousUntil",
                    c.role, c.project_roles as projects, c.expires_at as "expiresAt"
               from chronoflag.credentials c
              where c.key_id = $1
                and c.kind = 'admin'
                and c.revoked_at is null`,
      values: [keyId],
    });
    return rows[0];
  },

  /** False when it is there already, with another secret. */
  save: async (
    { keyId, sha256 }: NewSecret,
    { organizationId, name, grants, expiresAt }: NewToken,
  ): Promise<boolean> => {
    const { rowCount } = await pool.query(
      `insert into chronoflag.credentials
         (key_id, organization_id, kind, secret_sha256, name, role, project_roles, expires_at)
       values ($1, $2, 'admin', $3, $4, $5, $6, $7)
           on conflict on constraint credentials_pk do nothing`,
      [keyId, organizationId, sha256, name, grants.role, grants.projects, expiresAt],
    );
    return rowCount === 1;
  },

  /** Does nothing to a token of another organization. */
  revoke: async (organizationId: string, keyId: string): Promise<void> => {
    await pool.query(
      `update chronoflag.credentials set revoked_at = now(), version = version + 1
        where key_id = $1 and organization_id = $2 and kind = 'admin' and revoked_at is null`,
      [keyId, organizationId],
    );
  },

  /** The secret until now counts until `overlapUntil`; the one before it no longer. False as of `Rotation`. */
  rotate: async (
    organizationId: string,
    { keyId, sha256 }: NewSecret,
    { overlapUntil, revision }: Rotation,
  ): Promise<boolean> => {
    const { rowCount } = await pool.query(
      `update chronoflag.credentials
          set previous_sha256 = secret_sha256, previous_until = $4, secret_sha256 = $3,
              secret_revision = $5, rotated_at = now(), version = version + 1
        where key_id = $1 and organization_id = $2 and kind = 'admin' and revoked_at is null
          and secret_revision < $5`,
      [keyId, organizationId, sha256, overlapUntil, revision],
    );
    return rowCount === 1;
  },

  list: async ({ organizationId, unusedForDays }: ListTokens): Promise<readonly ListedToken[]> => {
    const { rows } = await pool.query<ListedToken>(
      `select c.key_id as "keyId", c.name, c.role, c.project_roles as projects, ${LIFE}
         from chronoflag.credentials c
        where c.organization_id = $1
          and c.kind = 'admin'
          and ${isUnusedFor('$2')}
        order by c.issued_at, c.key_id`,
      [organizationId, unusedForDays ?? null],
    );
    return rows;
  },
});

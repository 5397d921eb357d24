import { type Pool } from 'pg';
import { type ApplicationKeyKind } from '../../domain/organization.js';
import { type CredentialLife, isUnusedFor, LIFE, type Rotation } from './api-token-table.js';
import { type NewSecret } from './secrets.js';

/** An application key as it is kept: of its secret only the SHA-256. */
export type KeyRow = Readonly<{
  keyId: string;
  kind: ApplicationKeyKind;
  organizationId: string;
  project: string;
  environment: string;
  sha256: Buffer;
  expiresAt: Date | null;
  /** Hash of the secret before the last rotation, and until when it is accepted. */
  previousSha256?: Buffer | null;
  previousUntil?: Date | null;
  /** The environment's. */
  allowedOrigins?: readonly string[] | null;
}>;

type NewKey = KeyRow & Readonly<{ name: string }>;

type KeyPlace = Readonly<{ organizationId: string; project: string; environment: string }>;

const APPLICATIONS = `c.kind <> 'admin'`;

/** Application keys in Postgres. */
export const keyTable = (pool: Pool) => ({
  /** Another text after every change; of committed rows only, so that no change is ever missed. */
  version: async (): Promise<string> => {
    const { rows } = await pool.query<{ version: string }>({
      name: 'application_keys_version',
      text: `select count(*) || ':' || coalesce(sum(c.version), 0) || ':' ||
                    (select coalesce(sum(p.revision), 0) from project p) as version
               from chronoflag.credentials c
              where ${APPLICATIONS}`,
    });
    return rows[0]?.version ?? '';
  },

  /** Every key that is not revoked. */
  valid: async (): Promise<readonly KeyRow[]> => {
    const { rows } = await pool.query<KeyRow>({
      name: 'application_keys_valid',
      text: `select c.key_id as "keyId", c.kind, c.organization_id as "organizationId",
                    c.project_key as project, c.environment_key as environment,
                    c.secret_sha256 as sha256, c.expires_at as "expiresAt",
                    c.previous_sha256 as "previousSha256", c.previous_until as "previousUntil",
                    (select e -> 'allowedOrigins'
                       from project p, jsonb_array_elements(p.state -> 'environments') e
                      where p.organization_id = c.organization_id
                        and p.key = c.project_key
                        and e ->> 'key' = c.environment_key) as "allowedOrigins"
               from chronoflag.credentials c
              where ${APPLICATIONS}
                and c.revoked_at is null`,
    });
    return rows;
  },

  /** False when it is there already, with another secret. */
  save: async (key: NewKey): Promise<boolean> => {
    const { rowCount } = await pool.query(
      `insert into chronoflag.credentials
         (key_id, organization_id, kind, secret_sha256, name, project_key, environment_key, expires_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8)
           on conflict on constraint credentials_pk do nothing`,
      [
        key.keyId,
        key.organizationId,
        key.kind,
        key.sha256,
        key.name,
        key.project,
        key.environment,
        key.expiresAt,
      ],
    );
    return rowCount === 1;
  },

  /** Does nothing to a key of another place. */
  revoke: async (keyId: string, { organizationId, project, environment }: KeyPlace) => {
    await pool.query(
      `update chronoflag.credentials
          set revoked_at = now(), version = version + 1
        where key_id = $1
          and organization_id = $2
          and project_key = $3
          and environment_key = $4
          and revoked_at is null`,
      [keyId, organizationId, project, environment],
    );
  },

  /** The secret until now counts until `overlapUntil`; the one before it no longer. False as of `Rotation`. */
  rotate: async (
    { keyId, sha256 }: NewSecret,
    { organizationId, project, environment }: KeyPlace,
    { overlapUntil, revision }: Rotation,
  ): Promise<boolean> => {
    const { rowCount } = await pool.query(
      `update chronoflag.credentials
          set previous_sha256 = secret_sha256, previous_until = $6, secret_sha256 = $2,
              secret_revision = $7, rotated_at = now(), version = version + 1
        where key_id = $1
          and organization_id = $3
          and project_key = $4
          and environment_key = $5
          and revoked_at is null
          and secret_revision < $7`,
      [keyId, sha256, organizationId, project, environment, overlapUntil, revision],
    );
    return rowCount === 1;
  },

  /** Never takes a use back that another process has recorded. `uses`: key id → epoch milliseconds. */
  recordUses: async (uses: ReadonlyMap<string, number>): Promise<void> => {
    await pool.query(
      `update chronoflag.credentials c
          set last_used_at = u.used_at
         from unnest($1::text[], $2::timestamptz[]) as u (key_id, used_at)
        where c.key_id = u.key_id
          and (c.last_used_at is null or c.last_used_at < u.used_at)`,
      [[...uses.keys()], [...uses.values()].map((at) => new Date(at))],
    );
  },
});

export type KeyTable = ReturnType<typeof keyTable>;

/** What may be shown of a key. */
type ListedKey = CredentialLife &
  Readonly<{ keyId: string; kind: ApplicationKeyKind; name: string }>;

type PlacedKey = ListedKey & Readonly<{ project: string; environment: string }>;

type KeyReport = Readonly<{
  organizationId: string;
  projects?: readonly string[];
  unusedForDays?: number;
}>;

/** The columns of a ListedKey. */
const LISTED = `c.key_id as "keyId", c.kind, c.name, ${LIFE}`;

/** Application keys as they are shown, from Postgres. */
export const keyLists = (pool: Pool) => ({
  list: async ({
    organizationId,
    project,
    environment,
  }: KeyPlace): Promise<readonly ListedKey[]> => {
    const { rows } = await pool.query<ListedKey>(
      `select ${LISTED}
         from chronoflag.credentials c
        where c.organization_id = $1
          and c.project_key = $2
          and c.environment_key = $3
        order by c.issued_at, c.key_id`,
      [organizationId, project, environment],
    );
    return rows;
  },

  /** Keys of the whole organization, or of these projects; with `unusedForDays` only active ones not used for so long. */
  report: async ({
    organizationId,
    projects,
    unusedForDays,
  }: KeyReport): Promise<readonly PlacedKey[]> => {
    const { rows } = await pool.query<PlacedKey>(
      `select c.project_key as project, c.environment_key as environment, ${LISTED}
         from chronoflag.credentials c
        where c.organization_id = $1
          and c.kind <> 'admin'
          and ($2::text[] is null or c.project_key = any ($2))
          and ${isUnusedFor('$3')}
        order by c.project_key, c.environment_key, c.issued_at, c.key_id`,
      [organizationId, projects ?? null, unusedForDays ?? null],
    );
    return rows;
  },
});

import { type Pool } from 'pg';
import { type ApplicationKeyKind } from '../../domain/organization/events.js';

/** An application key as it is kept: of its secret only the SHA-256. */
export type KeyRow = Readonly<{
  keyId: string;
  kind: ApplicationKeyKind;
  organizationId: string;
  project: string;
  environment: string;
  sha256: Buffer;
  expiresAt: Date | null;
}>;

export type NewKey = KeyRow & Readonly<{ name: string }>;

/** What may be shown of a key. */
export type ListedKey = Readonly<{
  keyId: string;
  kind: ApplicationKeyKind;
  name: string;
  issuedAt: Date;
  expiresAt: Date | null;
  revokedAt: Date | null;
  /** To the minute or so. */
  lastUsedAt: Date | null;
}>;

export type KeyPlace = Readonly<{ organizationId: string; project: string; environment: string }>;

const APPLICATIONS = `c.kind <> 'admin'`;

/** Application keys in Postgres. */
export const keyTable = (pool: Pool) => ({
  /** Another text after every change; of committed rows only, so that no change is ever missed. */
  version: async (): Promise<string> => {
    const { rows } = await pool.query<{ version: string }>({
      name: 'application_keys_version',
      text: `select count(*) || ':' || coalesce(sum(c.version), 0) as version
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
                    c.secret_sha256 as sha256, c.expires_at as "expiresAt"
               from chronoflag.credentials c
              where ${APPLICATIONS}
                and c.revoked_at is null`,
    });
    return rows;
  },

  save: async (key: NewKey): Promise<void> => {
    await pool.query(
      `insert into chronoflag.credentials
         (key_id, organization_id, kind, secret_sha256, name, project_key, environment_key, expires_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8)`,
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

  list: async ({
    organizationId,
    project,
    environment,
  }: KeyPlace): Promise<readonly ListedKey[]> => {
    const { rows } = await pool.query<ListedKey>(
      `select c.key_id as "keyId", c.kind, c.name, c.issued_at as "issuedAt",
              c.expires_at as "expiresAt", c.revoked_at as "revokedAt",
              c.last_used_at as "lastUsedAt"
         from chronoflag.credentials c
        where c.organization_id = $1
          and c.project_key = $2
          and c.environment_key = $3
        order by c.issued_at, c.key_id`,
      [organizationId, project, environment],
    );
    return rows;
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

import { timingSafeEqual } from 'node:crypto';
import { type Pool } from 'pg';
import { withDeadline } from '../deadline.js';
import { type NewSecret, newSecret, randomKeyId, sha256 } from '../secrets.js';

type Row = Readonly<{ organization_id: string; secret_sha256: Buffer }>;

const CREDENTIAL = /^cf_admin_([0-9A-Za-z]{12})_[0-9A-Za-z]{43}$/;

/** How long a look-up is remembered: so long a revoked credential may still work. */
const REMEMBERED_MS = 1_000;

/** How long a look-up may keep a request with a known credential waiting. */
const PATIENCE_MS = 250;

/** `cf_admin_<keyId>_<256 random bits in base 62>`. */
export const newAdminCredential = (): NewSecret => newSecret('admin', randomKeyId());

/** Hashes of admin credentials, in Postgres; a secret itself is nowhere. */
export const credentialStore = (pool: Pool) => {
  const remembered = new Map<string, Readonly<{ row: Row; untilMs: number }>>();

  const find = async (keyId: string): Promise<Row | undefined> => {
    const { rows } = await pool.query<Row>({
      name: 'find_credential',
      text: `select c.organization_id, c.secret_sha256
               from chronoflag.credentials c
              where c.key_id = $1
                and c.kind = 'admin'
                and c.revoked_at is null`,
      values: [keyId],
    });
    return rows[0];
  };

  const asked = new Map<string, Promise<Row | undefined>>();

  /** One query for all who ask at the same time. */
  const ask = (keyId: string): Promise<Row | undefined> => {
    const asking =
      asked.get(keyId) ??
      find(keyId)
        .then((row) => {
          if (row === undefined) remembered.delete(keyId);
          else remembered.set(keyId, { row, untilMs: performance.now() + REMEMBERED_MS });
          return row;
        })
        .finally(() => asked.delete(keyId));
    asked.set(keyId, asking);
    return asking;
  };

  /** While Postgres is away or slow what was known goes on counting. */
  const lookUp = async (keyId: string): Promise<Row | undefined> => {
    const known = remembered.get(keyId);
    if (known === undefined) return ask(keyId);
    if (performance.now() < known.untilMs) return known.row;
    try {
      return await withDeadline(ask(keyId), PATIENCE_MS, () => new Error('Postgres is slow.'));
    } catch {
      remembered.set(keyId, { ...known, untilMs: performance.now() + REMEMBERED_MS });
      return known.row;
    }
  };

  return {
    /** The organization and key of a credential that is valid; undefined for any other text. */
    verify: async (
      credential: string,
    ): Promise<Readonly<{ organizationId: string; keyId: string }> | undefined> => {
      const keyId = CREDENTIAL.exec(credential)?.[1];
      const row = keyId === undefined ? undefined : await lookUp(keyId);
      return keyId !== undefined &&
        row !== undefined &&
        timingSafeEqual(sha256(credential), row.secret_sha256)
        ? { organizationId: row.organization_id, keyId }
        : undefined;
    },

    save: async (organizationId: string, { keyId, sha256: hash }: NewSecret): Promise<void> => {
      await pool.query(
        `insert into chronoflag.credentials (key_id, organization_id, kind, secret_sha256)
         values ($1, $2, 'admin', $3)`,
        [keyId, organizationId, hash],
      );
    },

    revoke: async (keyId: string): Promise<void> => {
      await pool.query(
        `update chronoflag.credentials set revoked_at = now(), version = version + 1
          where key_id = $1 and revoked_at is null`,
        [keyId],
      );
    },

    /** Key ids of an organization's credentials that are valid. */
    list: async (organizationId: string): Promise<readonly string[]> => {
      const { rows } = await pool.query<{ key_id: string }>(
        `select c.key_id
           from chronoflag.credentials c
          where c.organization_id = $1
            and c.kind = 'admin'
            and c.revoked_at is null
          order by c.issued_at`,
        [organizationId],
      );
      return rows.map((row) => row.key_id);
    },
  };
};

export type CredentialStore = ReturnType<typeof credentialStore>;

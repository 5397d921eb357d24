import { timingSafeEqual } from 'node:crypto';
import { type Pool } from 'pg';
import { DomainError } from '../../domain/decider.js';
import { type Grants } from '../../domain/access/grants.js';
import { withDeadline } from '../waiting.js';
import { type NewSecret, newSecret, randomKeyId, sha256 } from './secrets.js';
import { type CredentialRow, credentialTable, type Rotation } from './api-token-table.js';

const CREDENTIAL = /^cf_admin_([0-9A-Za-z]{12})_[0-9A-Za-z]{43}$/;

/** How long a look-up is remembered: so long a token that was revoked elsewhere may still work. */
const REMEMBERED_MS = 400;

/** How long a look-up may keep a request with a known credential waiting. */
const PATIENCE_MS = 250;

/** What a valid token proves. */
export type ProvenToken = Readonly<{ organizationId: string; keyId: string; grants: Grants }>;

/** `cf_admin_<keyId>_<256 random bits in base 62>`. */
export const newAdminCredential = (keyId: string = randomKeyId()): NewSecret =>
  newSecret('admin', keyId);

const isSecretOf = (
  { sha256: current, previousSha256, previousUntil }: CredentialRow,
  credential: string,
): boolean => {
  const given = sha256(credential);
  if (timingSafeEqual(given, current)) return true;
  const counts = previousUntil !== null && previousUntil.getTime() > Date.now();
  return counts && previousSha256 !== null && timingSafeEqual(given, previousSha256);
};

const requireUnexpired = ({ expiresAt }: CredentialRow): void => {
  if (expiresAt === null || expiresAt.getTime() > Date.now()) return;
  const when = expiresAt.toISOString();
  throw new DomainError('unauthorized', `The API token expired at ${when}; issue another.`);
};

/** API tokens, verified against Postgres. */
export const credentialStore = (pool: Pool) => {
  const table = credentialTable(pool);
  const remembered = new Map<string, Readonly<{ row: CredentialRow; untilMs: number }>>();
  let uses = new Map<string, number>();

  const asked = new Map<string, Promise<CredentialRow | undefined>>();

  /** One query for all who ask at the same time. */
  const ask = (keyId: string): Promise<CredentialRow | undefined> => {
    const asking =
      asked.get(keyId) ??
      table
        .find(keyId)
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
  const lookUp = async (keyId: string): Promise<CredentialRow | undefined> => {
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

  /** What this process changed counts in it at once. */
  const forget = (keyId: string): void => {
    remembered.delete(keyId);
    asked.delete(keyId);
  };

  return {
    /** What a token that is valid proves; undefined for any other text. Rejects with `unauthorized` when it expired. */
    verify: async (credential: string): Promise<ProvenToken | undefined> => {
      const keyId = CREDENTIAL.exec(credential)?.[1];
      const row = keyId === undefined ? undefined : await lookUp(keyId);
      if (keyId === undefined || row === undefined) return undefined;
      if (!isSecretOf(row, credential)) return undefined;
      requireUnexpired(row);
      uses.set(keyId, Date.now());
      const { organizationId, role, projects } = row;
      return { organizationId, keyId, grants: { role, projects } };
    },

    /** Uses since the last time this was asked: key id → epoch milliseconds. */
    takeUses: (): ReadonlyMap<string, number> => {
      const taken = uses;
      uses = new Map();
      return taken;
    },

    save: table.save,
    list: table.list,

    revoke: async (organizationId: string, keyId: string): Promise<void> => {
      await table.revoke(organizationId, keyId);
      forget(keyId);
    },

    rotate: async (
      organizationId: string,
      fresh: NewSecret,
      rotation: Rotation,
    ): Promise<boolean> => {
      const isRotated = await table.rotate(organizationId, fresh, rotation);
      forget(fresh.keyId);
      return isRotated;
    },
  };
};

export type CredentialStore = ReturnType<typeof credentialStore>;

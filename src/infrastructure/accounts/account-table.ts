import { type Pool } from 'pg';
import { transaction } from '../postgres/postgres.js';
import { endSessions } from './session-table.js';

type AccountRow = Readonly<{ userId: string; passwordHash: string }>;

type NewAccount = AccountRow & Readonly<{ organizationId: string; emailLookup: Buffer }>;

/** `before`: the hash that is to be replaced. */
type Replaced = AccountRow & Readonly<{ organizationId: string; before: string }>;

/** @returns false when it was replaced meanwhile */
const replace = async (
  on: Pick<Pool, 'query'>,
  { organizationId, userId, passwordHash, before }: Replaced,
): Promise<boolean> => {
  const { rowCount } = await on.query(
    `update chronoflag.account
        set password_hash = $3, password_changed_at = now()
      where organization_id = $1
        and user_id = $2
        and password_hash = $4`,
    [organizationId, userId, passwordHash, before],
  );
  return rowCount === 1;
};

/** Password hashes in Postgres; the only place where they are. */
export const accountTable = (pool: Pool) => ({
  /** One that is there stays as it is. */
  insert: async ({ organizationId, userId, emailLookup, passwordHash }: NewAccount) => {
    await pool.query(
      `insert into chronoflag.account (organization_id, user_id, email_lookup, password_hash)
       values ($1, $2, $3, $4)
           on conflict on constraint account_pk do nothing`,
      [organizationId, userId, emailLookup, passwordHash],
    );
  },

  withEmail: async (emailLookup: Buffer): Promise<readonly AccountRow[]> => {
    const { rows } = await pool.query<AccountRow>({
      name: 'accounts_with_email',
      text: `select a.user_id as "userId", a.password_hash as "passwordHash"
               from chronoflag.account a
              where a.email_lookup = $1`,
      values: [emailLookup],
    });
    return rows;
  },

  passwordHashOf: async (organizationId: string, userId: string): Promise<string | undefined> => {
    const { rows } = await pool.query<{ passwordHash: string }>(
      `select a.password_hash as "passwordHash"
         from chronoflag.account a
        where a.organization_id = $1
          and a.user_id = $2`,
      [organizationId, userId],
    );
    return rows[0]?.passwordHash;
  },

  /** The same password with other parameters; nothing happens when it was changed meanwhile. */
  rehash: async (replaced: Replaced): Promise<void> => {
    await replace(pool, replaced);
  },

  /**
   * All at once or nothing: the password, all sessions but one, and what `tell` does, which is asked last and refuses by
   * rejecting. @returns the ids of the sessions that ended; undefined when the password was changed meanwhile
   */
  changePassword: (
    { except, ...replaced }: Replaced & Readonly<{ except: string }>,
    tell: () => Promise<unknown>,
  ): Promise<readonly string[] | undefined> =>
    transaction(pool, async (client) => {
      if (!(await replace(client, replaced))) return undefined;
      const ended = await endSessions(client, { ...replaced, except }, 'password-changed');
      await tell();
      return ended;
    }),

  remove: async (organizationId: string, userId: string): Promise<void> => {
    await pool.query('delete from chronoflag.account where organization_id = $1 and user_id = $2', [
      organizationId,
      userId,
    ]);
  },
});

export type AccountTable = ReturnType<typeof accountTable>;

type AccountIdentity = Readonly<{
  organizationId: string;
  issuer: string;
  subject: string;
}>;

/** Which account an identity at an OpenID provider stands for. */
export const identityTable = (pool: Pool) => ({
  userOf: async ({
    organizationId,
    issuer,
    subject,
  }: AccountIdentity): Promise<string | undefined> => {
    const { rows } = await pool.query<{ userId: string }>(
      `select i.user_id as "userId"
         from chronoflag.account_identity i
        where i.organization_id = $1
          and i.issuer = $2
          and i.subject = $3`,
      [organizationId, issuer, subject],
    );
    return rows[0]?.userId;
  },

  /** @returns false when the account has another identity of that provider, or the identity another account */
  link: async (
    { organizationId, issuer, subject }: AccountIdentity,
    userId: string,
  ): Promise<boolean> => {
    const { rowCount } = await pool.query(
      `insert into chronoflag.account_identity (organization_id, issuer, subject, user_id)
       values ($1, $2, $3, $4)
           on conflict do nothing`,
      [organizationId, issuer, subject, userId],
    );
    return rowCount === 1;
  },
});

export type IdentityTable = ReturnType<typeof identityTable>;

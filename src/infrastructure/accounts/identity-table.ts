import { type Pool } from 'pg';

export type AccountIdentity = Readonly<{
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

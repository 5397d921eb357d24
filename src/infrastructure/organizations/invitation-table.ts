import { timingSafeEqual } from 'node:crypto';
import { type Pool } from 'pg';
import { sha256 } from '../secrets.js';

export type InvitationPlace = Readonly<{ organizationId: string; invitationId: string }>;

const TOKEN = /^cf_inv_([a-z0-9-]{1,27})\.([0-9A-Za-z]{12})_[0-9A-Za-z]{43}$/;

/** Compared with when there is no such invitation, so that the work is the same. */
const NOBODYS = Buffer.alloc(32);

/** Of the tokens of invitations only the SHA-256, in Postgres. */
export const invitationTable = (pool: Pool) => ({
  /** False when it has a token already. */
  save: async (
    { organizationId, invitationId }: InvitationPlace,
    tokenSha256: Buffer,
  ): Promise<boolean> => {
    const { rowCount } = await pool.query(
      `insert into chronoflag.invitation (organization_id, invitation_id, token_sha256)
       values ($1, $2, $3)
           on conflict on constraint invitation_pk do nothing`,
      [organizationId, invitationId, tokenSha256],
    );
    return rowCount === 1;
  },

  /** The invitation that a token is for, whatever became of it; undefined for every other text. */
  find: async (token: string): Promise<InvitationPlace | undefined> => {
    const [, organizationId, invitationId] = TOKEN.exec(token) ?? [];
    if (organizationId === undefined || invitationId === undefined) return undefined;
    const { rows } = await pool.query<{ tokenSha256: Buffer }>({
      name: 'find_invitation',
      text: `select i.token_sha256 as "tokenSha256"
               from chronoflag.invitation i
              where i.organization_id = $1
                and i.invitation_id = $2`,
      values: [organizationId, invitationId],
    });
    const isRight = timingSafeEqual(sha256(token), rows[0]?.tokenSha256 ?? NOBODYS);
    return isRight ? { organizationId, invitationId } : undefined;
  },
});

export type InvitationTable = ReturnType<typeof invitationTable>;

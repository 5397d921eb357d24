import { timingSafeEqual } from 'node:crypto';
import { type Pool } from 'pg';
import { type Logger } from 'pino';
import { sha256 } from '../keys/secrets.js';
import { pause } from '../waiting.js';

/** Shorter than a transaction may be idle. */
const ANSWER_MS = 3_000;

/**
 * Posts to a place outside of this installation. No redirect is followed, and of the answer only the status counts:
 * its body is not read. @throws Error unless the status is 2xx, in time
 */
export const postJson = async (
  url: string,
  value: unknown,
  { answerMs = ANSWER_MS }: Readonly<{ answerMs?: number }> = {},
): Promise<void> => {
  const { ok, status, body } = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(value),
    redirect: 'manual',
    signal: AbortSignal.timeout(answerMs),
  });
  await body?.cancel();
  if (!ok) throw new Error(`The webhook answered ${status}.`);
};

/** `token` is the secret that makes its holder a member: it is nowhere else. */
export type InvitationMessage = Readonly<{
  organizationId: string;
  invitationId: string;
  email: string;
  /** RFC 3339, UTC. */
  expiresAt: string;
  token: string;
  /** Where to accept it; the token is in the fragment, which no browser sends and no server logs. */
  link: string;
}>;

/** Brings an invitation to the person. */
type DeliverInvitation = (message: InvitationMessage) => Promise<void>;

const RETRY_MS = [500, 5_000] as const;

/** For installations without a webhook: the one line of the log that has a secret, by design. */
const logInvitation =
  (log: Logger): DeliverInvitation =>
  async ({ email, organizationId, link, expiresAt }) => {
    log.info(`invitation of ${email} to ${organizationId}, until ${expiresAt}: ${link}`);
  };

const postInvitation =
  (url: string): DeliverInvitation =>
  (message) =>
    postJson(url, message);

/** Tries again twice; then says in the log which invitation has to be made anew. Never rejects. */
const withRetries =
  (deliver: DeliverInvitation, log: Logger): DeliverInvitation =>
  async (message) => {
    for (const pauseMs of [...RETRY_MS, undefined]) {
      try {
        await deliver(message);
        return;
      } catch (error) {
        const { organizationId, invitationId } = message;
        log.warn({ err: error, organizationId, invitationId }, 'an invitation was not delivered');
        if (pauseMs !== undefined) await pause(pauseMs, { ref: false });
      }
    }
  };

/** To the webhook when there is one, else into the log. */
export const deliverInvitation = (webhook: string | undefined, log: Logger): DeliverInvitation =>
  webhook === undefined ? logInvitation(log) : withRetries(postInvitation(webhook), log);

type InvitationPlace = Readonly<{ organizationId: string; invitationId: string }>;

const TOKEN = /^cf_inv_([a-z0-9-]{1,27})\.([0-9A-Za-z]{12})_[0-9A-Za-z]{43}$/;

/** Compared with when there is no such invitation, so that the work is the same. */
const NOBODYS = Buffer.alloc(32);

/** Invitations in Postgres; of their tokens only the SHA-256 is kept. */
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

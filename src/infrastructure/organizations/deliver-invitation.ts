import { setTimeout as delay } from 'node:timers/promises';
import { type Logger } from 'pino';
import { postJson } from '../post-json.js';

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
export type DeliverInvitation = (message: InvitationMessage) => Promise<void>;

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
        if (pauseMs !== undefined) await delay(pauseMs, undefined, { ref: false });
      }
    }
  };

/** To the webhook when there is one, else into the log. */
export const deliverInvitation = (webhook: string | undefined, log: Logger): DeliverInvitation =>
  webhook === undefined ? logInvitation(log) : withRetries(postInvitation(webhook), log);

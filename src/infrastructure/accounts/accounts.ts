import { normalisedEmail } from '../../domain/personal/person.js';
import { type EndCause } from '../../domain/session.js';
import { type Wrapping } from '../keys/master-key.js';
import { type AccountTable } from './account-table.js';
import { type PasswordHashes, type PasswordOwner, requireGoodPassword } from './passwords.js';
import { type SessionTable } from './session-table.js';

export type EndedOf = Readonly<{
  organizationId: string;
  userId: string;
  sessionIds: readonly string[];
  cause: EndCause;
}>;

export type AccountsDeps = Readonly<{
  table: AccountTable;
  sessions: SessionTable;
  hashes: PasswordHashes;
  wrapping: Wrapping;
  /** Called after sessions ended; settles when they have stopped here and the log has it. */
  onSessionsEnded: (ended: EndedOf) => Promise<void>;
}>;

/** What an address is looked up by: of one organization, and made by nobody without the master key. */
export const emailLookup = (wrapping: Wrapping, { organizationId, email }: PasswordOwner): Buffer =>
  wrapping.digest(`${organizationId}\u0000${normalisedEmail(email)}`);

/** Who can log in with a password, and until when. An account works only while its user is a member. */
export const accountsOver = (deps: AccountsDeps) => {
  const { table, sessions, hashes, wrapping, onSessionsEnded } = deps;

  const endSessions = async (
    organizationId: string,
    userId: string,
    cause: EndCause,
  ): Promise<void> => {
    const sessionIds = await sessions.end({ organizationId, userId }, cause);
    if (sessionIds.length > 0) await onSessionsEnded({ organizationId, userId, sessionIds, cause });
  };

  return {
    /** @throws DomainError `weak-password` saying why */
    requireGoodPassword,

    /** Safe to repeat: the id of the user follows from the password, and an account that is there stays as it is. */
    create: async ({
      userId,
      password,
      ...owner
    }: PasswordOwner & Readonly<{ userId: string; password: string }>): Promise<void> => {
      const account = {
        organizationId: owner.organizationId,
        userId,
        emailLookup: emailLookup(wrapping, owner),
        passwordHash: await hashes.hash(password),
      };
      await table.insert(account);
    },

    /** For people who are no longer members: no session goes on, and they cannot log in again. */
    end: async (organizationId: string, userId: string): Promise<void> => {
      await table.remove(organizationId, userId);
      await endSessions(organizationId, userId, 'membership-ended');
    },

    endSessions,
  };
};

export type Accounts = ReturnType<typeof accountsOver>;

import { DomainError } from '../domain/decider.js';
import { type AccountTable } from '../infrastructure/accounts/account-table.js';
import { emailLookup } from '../infrastructure/accounts/accounts.js';
import { type PasswordHashes, requireGoodPassword } from '../infrastructure/accounts/passwords.js';
import { type SessionTable } from '../infrastructure/accounts/session-table.js';
import { type Wrapping } from '../infrastructure/keys/master-key.js';
import {
  type Login,
  type NewPassword,
  type OpenSession,
  type Origin,
  type Person,
} from './ports.js';
import { type RefusedLogins, type SessionLog } from './session-log.js';
import { actorOf, type OpenSessions } from './sessions.js';

export type PasswordsDeps = Readonly<{
  table: AccountTable;
  sessionTable: SessionTable;
  hashes: PasswordHashes;
  wrapping: Wrapping;
  sessions: OpenSessions;
  sessionLog: SessionLog;
  refused: RefusedLogins;
  isMember: (organizationId: string, userId: string) => boolean;
  onSessionsEnded: () => Promise<void>;
}>;

/** Logging in with a password, and changing it. */
export const passwordLogins = (deps: PasswordsDeps) => {
  const { table, sessionTable, hashes, wrapping, sessions, sessionLog, refused, isMember } = deps;

  /** Whether it is known or not, one look-up and one hash are what it costs. */
  const logIn = async (
    { organizationId, email, password }: Login,
    origin: Origin,
  ): Promise<OpenSession | undefined> => {
    const rows = await table.withEmail(emailLookup(wrapping, { organizationId, email }));
    const account = rows.find(({ userId }) => isMember(organizationId, userId));
    const { isRight, isOutdated } = await hashes.verify(account?.passwordHash, password);
    if (account === undefined) return undefined;
    const { userId, passwordHash: before } = account;
    const member = { organizationId, userId, method: 'password' } as const;
    if (!isRight) {
      refused({ organizationId, userId }, origin);
      return undefined;
    }
    if (!isOutdated) return sessions.start({ ...member, passwordHash: before }, origin);
    const passwordHash = await hashes.hash(password);
    await table.rehash({ ...member, passwordHash, before });
    return sessions.start({ ...member, passwordHash }, origin);
  };

  /** The address itself is not kept; but whether a password is it can be told. */
  const requireOther = async ({ organizationId, userId }: Person, password: string) => {
    requireGoodPassword(password, { organizationId, email: '' });
    const lookup = emailLookup(wrapping, { organizationId, email: password });
    const rows = await table.withEmail(lookup);
    if (rows.some((row) => row.userId === userId))
      throw new DomainError('weak-password', 'The password is your e-mail address.');
  };

  const changePassword = async (
    person: Person,
    { currentPassword, newPassword }: NewPassword,
    origin: Origin,
  ): Promise<readonly string[]> => {
    const { organizationId, userId, sessionId } = person;
    const before = await table.passwordHashOf(organizationId, userId);
    const { isRight } = await hashes.verify(before, currentPassword);
    if (before === undefined || !isRight)
      throw new DomainError('wrong-password', 'This is not your current password.');
    await requireOther(person, newPassword);
    const passwordHash = await hashes.hash(newPassword);
    const command = {
      type: 'ChangePassword',
      data: { organizationId, userId, sessionId },
    } as const;
    const ended = await table.changePassword(
      { organizationId, userId, passwordHash, before, except: sessionId },
      () => sessionLog.record(command, origin(actorOf(person))),
    );
    if (ended === undefined)
      throw new DomainError('wrong-password', 'The password was changed at the same time.');
    await deps.onSessionsEnded();
    // What is not noted here is noted by whoever tells the rest.
    await sessionTable.told(ended).catch(() => undefined);
    return ended;
  };

  return { logIn, changePassword };
};

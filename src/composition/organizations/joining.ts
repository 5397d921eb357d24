import {
  type OrganizationHandle,
  type Organizations,
} from '../../api/organization/organizations.js';
import { underKey, type UsedKeys } from '../../commands/command-keys.js';
import { commandHashOf } from '../../commands/event-id.js';
import { DomainError } from '../../domain/decider.js';
import { canonicalJson } from '../../domain/json.js';
import { type Actor, type Metadata } from '../../domain/metadata.js';
import { normalisedEmail, requirePlainAddress } from '../../domain/organization/email.js';
import { type OrganizationEvent } from '../../domain/organization/events.js';
import { type MasterKey } from '../../infrastructure/master-key.js';
import { type InvitationTable } from '../../infrastructure/organizations/invitation-table.js';
import { organizationIdFrom } from '../../infrastructure/organizations/organization-id.js';
import { userIdFrom } from '../../infrastructure/secrets.js';
import { type NewAccount, type OrganizationAccounts } from './accounts.js';

type JoiningDeps = Readonly<{
  /** Of all commands on organizations. */
  handle: OrganizationHandle;
  accounts: OrganizationAccounts;
  invitations: InvitationTable;
  masterKey: MasterKey;
  usedKeys: UsedKeys;
  isRegistrationOpen: boolean;
}>;

/** Who joins, by which proof, and what they ask for, without their password. */
type Joiner = Readonly<{
  account: Omit<NewAccount, 'email'>;
  authMethod: 'registration' | 'invitation';
  asked: readonly string[];
}>;

/** The command hash is kept with the events: never one that a password could be guessed from. */
const metadataFor = (
  metadata: Metadata,
  { account: { userId: id }, authMethod, asked }: Joiner,
): Metadata => {
  const actor: Actor = { id, type: 'user', authMethod };
  return { ...metadata, actor, commandHash: commandHashOf(canonicalJson([authMethod, ...asked])) };
};

const emailIn = (events: readonly OrganizationEvent[]): string | undefined => {
  const [event] = events;
  if (event?.type === 'MemberJoined') return event.data.email;
  return event?.type === 'OrganizationRegistered' ? event.data.owner?.email : undefined;
};

/** What makes somebody a member: a registration, or an invitation that is accepted. */
export const joiningWith = (
  deps: JoiningDeps,
): Pick<Organizations, 'registering' | 'accepting'> => {
  const { handle, accounts, invitations, usedKeys, isRegistrationOpen } = deps;
  const ids = deps.masterKey.for('ids of users and organizations');

  /** The account is there before the log has the member: an account of no member works nowhere. */
  const handleFor =
    (joiner: Joiner): OrganizationHandle =>
    async (request) => {
      const own = { ...request, metadata: metadataFor(request.metadata, joiner) };
      const decided = await handle({ ...own, dryRun: true });
      const email = decided.kind === 'dry-run' ? emailIn(decided.events) : undefined;
      if (email === undefined) return decided;
      const account = { ...joiner.account, email };
      accounts.requireGoodPassword(account.password, account);
      if (request.dryRun === true) return decided;
      await accounts.create(account);
      return handle(own);
    };

  return {
    // Ids follow from all that is asked and our own key: a repeat meets the stream of the first, and nobody else's.
    registering: ({ name, email: given, password, commandId }) => {
      if (!isRegistrationOpen)
        throw new DomainError('registration-closed', 'No organization can be registered here.');
      const email = normalisedEmail(given);
      requirePlainAddress(email);
      const digest = ids.digest(canonicalJson([commandId, name, email, password]));
      const organizationId = organizationIdFrom(name, digest);
      const userId = userIdFrom(digest);
      const data = { organizationId, name, owner: { userId, email } };
      const register = handleFor({
        account: { organizationId, userId, password },
        authMethod: 'registration',
        asked: [organizationId, name, email],
      });
      // Of one person: others may choose the same key. Neither hash can be guessed from without our own key.
      const key = {
        organizationId: 'registration',
        commandId: ids.digest(canonicalJson(['registration', commandId, email])).toString('hex'),
        commandHash: digest.toString('hex'),
      };
      return {
        organizationId,
        userId,
        command: { type: 'RegisterOrganization', data },
        handle: (request) =>
          request.dryRun === true
            ? register(request)
            : underKey(usedKeys, key, () => register(request)),
      };
    },

    accepting: async ({ token, password }) => {
      const place = await invitations.find(token);
      if (place === undefined)
        throw new DomainError('invitation-not-found', 'There is no such invitation.');
      const { organizationId, invitationId } = place;
      // Of two who accept at once with passwords of their own, each has an account, and one of them is a member.
      const digest = ids.digest(canonicalJson([organizationId, invitationId, password]));
      const userId = userIdFrom(digest);
      const data = { organizationId, invitationId, userId, now: new Date().toISOString() };
      return {
        organizationId,
        userId,
        command: { type: 'AcceptInvitation', data },
        handle: handleFor({
          account: { organizationId, userId, password },
          authMethod: 'invitation',
          asked: [organizationId, invitationId, userId],
        }),
      };
    },
  };
};

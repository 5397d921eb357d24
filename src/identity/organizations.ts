import type pg from 'pg';
import { type Logger } from 'pino';
import { underKey, type UsedKeys } from '../commands/streams/command-keys.js';
import { commandHashOf } from '../commands/streams/event-store.js';
import { type OrganizationCommand } from '../commands/organization/organization.js';
import { DomainError } from '../domain/decider.js';
import { canonicalJson } from '../domain/json.js';
import { type OrganizationEvent } from '../domain/organization.js';
import { normalisedEmail, requirePlainAddress } from '../domain/personal/person.js';
import { type Actor, type Metadata } from '../domain/recorded.js';
import { type OrganizationMembers } from '../infrastructure/accounts/grants.js';
import {
  deliverInvitation,
  type InvitationTable,
  invitationTable,
} from '../infrastructure/accounts/invitations.js';
import { type MasterKey } from '../infrastructure/keys/master-key.js';
import {
  keyIdFrom,
  newSecret,
  organizationIdFrom,
  userIdFrom,
} from '../infrastructure/keys/secrets.js';
import {
  type NewAccount,
  type OrganizationAccounts,
  type OrganizationHandle,
  type Organizations,
} from './ports.js';

type JoiningDeps = Readonly<{
  /** Shared by all commands on organizations. */
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
        throw new DomainError(
          'registration-closed',
          'This installation does not accept new organizations.',
        );
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
      // For one person only: others may choose the same key. Neither hash can be guessed from without our own key.
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
      // When two accept at once with different passwords, both have an account and one of them is a member.
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

const DAY_MS = 86_400_000;

type OrganizationSettings = Readonly<{
  /** Where invitations are accepted. */
  acceptUrl: string;
  invitationWebhook?: string | undefined;
  isRegistrationOpen: boolean;
}>;

type OrganizationDeps = Readonly<{
  pool: pg.Pool;
  usedKeys: UsedKeys;
  commands: Readonly<{ organizations: OrganizationHandle }>;
  /** Takes over at once what a command of this process changed. */
  grants: Readonly<{ adopt: (organization: OrganizationMembers) => void }>;
  accounts: OrganizationAccounts;
  masterKey: MasterKey;
  log: Logger;
}>;

const leaverIn = ({ data }: OrganizationCommand) => ({
  organizationId: data.organizationId,
  userId: 'userId' in data ? data.userId : '',
});

/** Organizations and their members: their commands, with what these need of accounts, tokens and grants. */
export const organizationsOver = (
  settings: OrganizationSettings,
  deps: OrganizationDeps,
): Organizations => {
  const { commands, grants, accounts, masterKey } = deps;
  const invitations = invitationTable(deps.pool);
  const deliver = deliverInvitation(settings.invitationWebhook, deps.log);

  const handle: OrganizationHandle = async (request) => {
    const outcome = await commands.organizations(request);
    const { kind, position, after } = outcome;
    const { organizationId } = request.command.data;
    if (kind === 'recorded' && after.status === 'active')
      grants.adopt({ organizationId, position, members: after.members });
    return outcome;
  };

  return {
    handle,

    handleLeaving: async (request) => {
      const decided = await handle({ ...request, dryRun: true });
      if (request.dryRun === true) return decided;
      const { organizationId, userId } = leaverIn(request.command);
      // Only then: who is refused stays logged in. Whoever is no member may do nothing, whatever their sessions say.
      const outcome = decided.kind === 'repeated' ? decided : await handle(request);
      await accounts.endSessions(organizationId, userId, 'membership-ended');
      await accounts.end(organizationId, userId);
      return outcome;
    },

    inviting: ({ commandId, expiresInDays, email: given, ...invited }) => {
      const { organizationId } = invited;
      const invitationId = keyIdFrom(organizationId, 'invitation', commandId);
      const email = normalisedEmail(given);
      requirePlainAddress(email);
      const now = new Date();
      const expiresAt = new Date(now.getTime() + expiresInDays * DAY_MS).toISOString();
      const data = { ...invited, invitationId, email, expiresAt, now: now.toISOString() };
      return {
        invitationId,
        command: { type: 'InviteMember', data },
        handle: async (request) => {
          const outcome = await handle(request);
          if (outcome.kind !== 'recorded') return outcome;
          const token = newSecret('inv', `${organizationId}.${invitationId}`);
          const place = { organizationId, invitationId };
          // Another process got the same command: what it delivered works, this token would not.
          if (!(await invitations.save(place, token.sha256)))
            return { ...outcome, kind: 'repeated' };
          const link = `${settings.acceptUrl}#${token.secret}`;
          const person = { organizationId, invitationId, email, expiresAt };
          void deliver({ ...person, token: token.secret, link });
          return outcome;
        },
      };
    },

    ...joiningWith({
      handle,
      accounts,
      invitations,
      masterKey,
      usedKeys: deps.usedKeys,
      isRegistrationOpen: settings.isRegistrationOpen,
    }),
  };
};

import { type Logger } from 'pino';
import type pg from 'pg';
import {
  type OrganizationHandle,
  type Organizations,
} from '../../api/organization/organizations.js';
import { type UsedKeys } from '../../commands/command-keys.js';
import { type OrganizationCommand } from '../../commands/organization-decider.js';
import { normalisedEmail, requirePlainAddress } from '../../domain/organization/email.js';
import { type MasterKey } from '../../infrastructure/master-key.js';
import { deliverInvitation } from '../../infrastructure/organizations/deliver-invitation.js';
import { type OrganizationMembers } from '../../infrastructure/organizations/grants-memory.js';
import { invitationTable } from '../../infrastructure/organizations/invitation-table.js';
import { keyIdFrom, newSecret } from '../../infrastructure/secrets.js';
import { type OrganizationAccounts } from './accounts.js';
import { joiningWith } from './joining.js';

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

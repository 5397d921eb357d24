import { test, type Test } from 'tap';
import { type Asker } from '../../../src/commands/organization/guards.js';
import { type InviteMember } from '../../../src/commands/organization/invitations.js';
import { organizationDecider } from '../../../src/commands/organization/organization.js';
import { type Role } from '../../../src/domain/access/permission.js';
import { type OrganizationEvent } from '../../../src/domain/organization.js';
import { type Project } from '../../../src/domain/project.js';
import { given } from '../../support/given.js';

const organizationId = 'acme-abc123';
const ANNA = { userId: 'usr_anna00000000', email: 'anna@example.com' };
const BERT = { userId: 'usr_bert00000000', email: 'bert@example.com' };
const CARL = { userId: 'usr_carl00000000', email: 'carl@example.com' };

const registered: OrganizationEvent = {
  type: 'OrganizationRegistered',
  data: { name: 'Acme', owner: ANNA },
};
const joined = (person: typeof BERT, role: Role): OrganizationEvent => ({
  type: 'MemberJoined',
  data: { ...person, invitationId: 'joined000000', role, projects: {} },
});
const team = [registered, joined(BERT, 'admin'), joined(CARL, 'editor')];

const terms = {
  invitationId: 'first0000000',
  email: 'dora@example.com',
  role: 'viewer',
  projects: {},
  expiresAt: '2026-11-28T12:00:00.000Z',
} as const;
const invited: OrganizationEvent = { type: 'MemberInvited', data: terms };

const project = (status: 'active' | 'deleted'): Project => ({
  ...{ status, organizationId, key: 'web', name: 'web', description: '', environments: [] },
});
const projects = new Map<string, Project>([
  ['web', project('active')],
  ['old', project('deleted')],
  ['none', { status: 'absent' }],
]);
const organization = (t: Test, ...history: readonly OrganizationEvent[]) =>
  given(t, organizationDecider, projects)(...history);

const invite = (change: Partial<InviteMember['data']> = {}): InviteMember => ({
  type: 'InviteMember',
  data: {
    ...{ ...terms, organizationId, now: '2026-11-21T12:00:00.000Z', by: { userId: ANNA.userId } },
    ...change,
  },
});
const by = ({ userId }: typeof BERT): Asker => ({ userId });

test('an owner and an admin invite', async (t) => {
  organization(t, ...team)
    .when(invite())
    .thenRecords(invited);
  organization(t, ...team)
    .when(invite({ by: by(BERT) }))
    .thenRecords(invited);
  organization(t, ...team)
    .when(invite({ by: { role: 'admin' } }))
    .thenRecords(invited);
});

test('addresses that differ by a final sigma only are one address', async (t) => {
  const nikos = joined({ userId: 'usr_nikos0000000', email: 'νικος@example.gr' }, 'editor');
  organization(t, registered, nikos)
    .when(invite({ email: 'νικοσ@example.gr' }))
    .thenRefuses('member-exists');
  const earlier = { type: 'MemberInvited', data: { ...terms, email: 'νικοσ@example.gr' } } as const;
  organization(t, registered, earlier)
    .when(invite({ email: 'νικος@example.gr' }))
    .thenRefuses('invitation-exists');
});

test('whoever does not manage members cannot invite', async (t) => {
  organization(t, ...team)
    .when(invite({ by: by(CARL) }))
    .thenRefuses('forbidden');
  organization(t, ...team)
    .when(invite({ by: { userId: 'usr_stranger0000' } }))
    .thenRefuses('forbidden');
  organization(t, ...team)
    .when(invite({ by: { role: 'auditor' } }))
    .thenRefuses('forbidden');
});

test('only owners invite owners', async (t) => {
  const owner = invite({ role: 'owner' });
  organization(t, ...team)
    .when(owner)
    .thenRecords({ type: 'MemberInvited', data: { ...terms, role: 'owner' } });
  organization(t, ...team)
    .when(invite({ role: 'owner', by: by(BERT) }))
    .thenRefuses('forbidden');
  organization(t, ...team)
    .when(invite({ role: 'owner', by: { role: 'admin' } }))
    .thenRefuses('forbidden');
});

test('the credential of a first start invites the first owner', async (t) => {
  organization(t, { type: 'OrganizationRegistered', data: { name: 'Default' } })
    .when(invite({ role: 'owner', by: { role: 'owner' } }))
    .thenRecords({ type: 'MemberInvited', data: { ...terms, role: 'owner' } });
});

test('a member is not invited again', async (t) => {
  organization(t, ...team)
    .when(invite({ email: CARL.email }))
    .thenRefuses('member-exists');
});

test('of one address there is one open invitation', async (t) => {
  const second = invite({ invitationId: 'second000000' });
  organization(t, ...team, invited)
    .when(second)
    .thenRefuses('invitation-exists');
  organization(t, ...team, invited, {
    type: 'InvitationRevoked',
    data: { invitationId: terms.invitationId },
  })
    .when(second)
    .thenRecords({ type: 'MemberInvited', data: { ...terms, invitationId: 'second000000' } });
});

test('an invitation that has expired is revoked by the next', async (t) => {
  const later = { invitationId: 'second000000', expiresAt: '2026-12-05T12:00:00.000Z' };
  organization(t, ...team, invited)
    .when(invite({ ...later, now: '2026-11-28T12:00:00.000Z' }))
    .thenRecords(
      { type: 'InvitationRevoked', data: { invitationId: terms.invitationId } },
      { type: 'MemberInvited', data: { ...terms, ...later } },
    );
});

test('roles are given in projects that are there', async (t) => {
  organization(t, ...team)
    .when(invite({ role: 'none', projects: { web: 'editor' } }))
    .thenRecords({
      type: 'MemberInvited',
      data: { ...terms, role: 'none', projects: { web: 'editor' } },
    });
  for (const key of ['old', 'none', 'unheard-of'])
    organization(t, ...team)
      .when(invite({ projects: { [key]: 'editor' } }))
      .thenRefuses('unknown-project');
});

test('members and invitations together are at most 1000', async (t) => {
  const crowd = Array.from({ length: 997 }, (_, n): OrganizationEvent => ({
    type: 'MemberInvited',
    data: { ...terms, invitationId: `crowd-${n}`, email: `${n}@example.com` },
  }));
  organization(t, ...team, ...crowd.slice(1))
    .when(invite())
    .thenRecords(invited);
  organization(t, ...team, ...crowd)
    .when(invite())
    .thenRefuses('too-many-members');
});

const accept = (now: string) =>
  ({
    type: 'AcceptInvitation',
    data: { organizationId, invitationId: terms.invitationId, userId: 'usr_dora00000000', now },
  }) as const;

test('an invitation is accepted once, before it expires', async (t) => {
  const { expiresAt: _, ...given } = terms;
  const dora: OrganizationEvent = {
    type: 'MemberJoined',
    data: { ...given, userId: 'usr_dora00000000' },
  };
  const inTime = accept('2026-11-28T11:59:59.999Z');
  organization(t, ...team, invited)
    .when(inTime)
    .thenRecords(dora);
  organization(t, ...team, invited, dora)
    .when(inTime)
    .thenRefuses('invitation-not-found');
  organization(t, ...team, invited)
    .when(accept('2026-11-28T12:00:00.000Z'))
    .thenRefuses('invitation-not-found');
  organization(t, ...team)
    .when(inTime)
    .thenRefuses('invitation-not-found');
  organization(t).when(inTime).thenRefuses('organization-not-found');
});

const revoke = (asker: Asker) =>
  ({
    type: 'RevokeInvitation',
    data: { organizationId, invitationId: terms.invitationId, by: asker },
  }) as const;

test('an open invitation is revoked, that of an owner by owners', async (t) => {
  const revoked: OrganizationEvent = {
    type: 'InvitationRevoked',
    data: { invitationId: terms.invitationId },
  };
  const ofOwner: OrganizationEvent = { type: 'MemberInvited', data: { ...terms, role: 'owner' } };
  organization(t, ...team, invited)
    .when(revoke(by(BERT)))
    .thenRecords(revoked);
  organization(t, ...team, invited)
    .when(revoke(by(CARL)))
    .thenRefuses('forbidden');
  organization(t, ...team, ofOwner)
    .when(revoke(by(BERT)))
    .thenRefuses('forbidden');
  organization(t, ...team, ofOwner)
    .when(revoke(by(ANNA)))
    .thenRecords(revoked);
  organization(t, ...team)
    .when(revoke(by(BERT)))
    .thenRefuses('invitation-not-found');
  organization(t, ...team)
    .when(revoke(by(CARL)))
    .thenRefuses('forbidden');
});

test('an organization is renamed by its owners', async (t) => {
  const rename = (name: string, asker: Asker) =>
    ({ type: 'RenameOrganization', data: { organizationId, name, by: asker } }) as const;
  organization(t, ...team)
    .when(rename('Ajax', by(ANNA)))
    .thenRecords({ type: 'OrganizationRenamed', data: { name: 'Ajax' } });
  organization(t, ...team)
    .when(rename('Acme', by(ANNA)))
    .thenRecords();
  organization(t, ...team)
    .when(rename('Ajax', by(BERT)))
    .thenRefuses('forbidden');
});

test('an organization is registered once', async (t) => {
  const register = (owner?: typeof ANNA) =>
    ({
      type: 'RegisterOrganization',
      data: { organizationId, name: 'Acme', ...(owner && { owner }) },
    }) as const;
  organization(t).when(register(ANNA)).thenRecords(registered);
  organization(t)
    .when(register())
    .thenRecords({ ...registered, data: { name: 'Acme' } });
  organization(t, registered).when(register(ANNA)).thenRecords();
  organization(t, registered).when(register()).thenRecords();
  organization(t, registered).when(register(BERT)).thenRefuses('concurrent-change');
});

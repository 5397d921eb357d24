import fc from 'fast-check';
import { test, type Test } from 'tap';
import { type Asker } from '../../../src/commands/organization/guards.js';
import {
  type OrganizationCommand,
  organizationDecider,
} from '../../../src/commands/organization/organization.js';
import { ROLES, type Role } from '../../../src/domain/access/permission.js';
import { DomainError } from '../../../src/domain/decider.js';
import { type OrganizationEvent } from '../../../src/domain/organization.js';
import { given } from '../../support/given.js';
import { property } from '../../support/property.js';

const organizationId = 'acme-abc123';
const [ANNA, BERT, CARL] = ['usr_anna00000000', 'usr_bert00000000', 'usr_carl00000000'];
const NO_PROJECTS = new Map<string, never>();

const registered: OrganizationEvent = {
  type: 'OrganizationRegistered',
  data: { name: 'Acme', owner: { userId: ANNA, email: 'anna@example.com' } },
};
const joined = (userId: string, role: Role): OrganizationEvent => ({
  type: 'MemberJoined',
  data: { userId, invitationId: `${userId}-i`, email: `${userId}@example.com`, role, projects: {} },
});
const team = [registered, joined(BERT, 'admin'), joined(CARL, 'editor')];
const twoOwners = [registered, joined(BERT, 'owner'), joined(CARL, 'admin')];

const organization = (t: Test, ...history: readonly OrganizationEvent[]) =>
  given(t, organizationDecider, NO_PROJECTS)(...history);

const by = (userId: string): Asker => ({ userId });
const change = (userId: string, role: Role, asker: Asker) =>
  ({
    type: 'ChangeMemberRole',
    data: { organizationId, userId, role, projects: {}, by: asker },
  }) as const;
const remove = (userId: string, asker: Asker) =>
  ({ type: 'RemoveMember', data: { organizationId, userId, by: asker } }) as const;
const leave = (userId: string) =>
  ({ type: 'LeaveOrganization', data: { organizationId, userId } }) as const;
const handOver = (from: string, to: string) =>
  ({ type: 'HandOverOwnership', data: { organizationId, from, to, role: 'admin' } }) as const;

test('roles are changed by admins, those of owners by owners', async (t) => {
  const changed = (userId: string, role: Role): OrganizationEvent => ({
    type: 'MemberRoleChanged',
    data: { userId, role, projects: {} },
  });
  organization(t, ...team)
    .when(change(CARL, 'viewer', by(BERT)))
    .thenRecords(changed(CARL, 'viewer'));
  organization(t, ...team)
    .when(change(CARL, 'editor', by(BERT)))
    .thenRecords();
  organization(t, ...team)
    .when(change(CARL, 'owner', by(BERT)))
    .thenRefuses('forbidden');
  organization(t, ...team)
    .when(change(CARL, 'owner', by(ANNA)))
    .thenRecords(changed(CARL, 'owner'));
  organization(t, ...twoOwners)
    .when(change(BERT, 'admin', by(CARL)))
    .thenRefuses('forbidden');
  organization(t, ...twoOwners)
    .when(change(BERT, 'admin', by(ANNA)))
    .thenRecords(changed(BERT, 'admin'));
  organization(t, ...team)
    .when(change(BERT, 'viewer', by(CARL)))
    .thenRefuses('forbidden');
  organization(t, ...team)
    .when(change('usr_nobody000000', 'viewer', by(ANNA)))
    .thenRefuses('member-not-found');
});

test('whoever was lowered meanwhile has no say any more', async (t) => {
  organization(t, ...team, {
    type: 'MemberRoleChanged',
    data: { userId: BERT, role: 'viewer', projects: {} },
  })
    .when(change(CARL, 'admin', by(BERT)))
    .thenRefuses('forbidden');
});

test('a role in a project that is not there is not given', async (t) => {
  const data = { ...change(CARL, 'none', by(ANNA)).data, projects: { web: 'editor' } } as const;
  organization(t, ...team)
    .when({ type: 'ChangeMemberRole', data })
    .thenRefuses('unknown-project');
});

test('the last owner stays owner', async (t) => {
  organization(t, ...team)
    .when(change(ANNA, 'admin', by(ANNA)))
    .thenRefuses('last-owner');
  organization(t, ...team)
    .when(remove(ANNA, by(ANNA)))
    .thenRefuses('last-owner');
  organization(t, ...team)
    .when(remove(ANNA, { role: 'owner' }))
    .thenRefuses('last-owner');
  organization(t, ...team)
    .when(leave(ANNA))
    .thenRefuses('last-owner');
  organization(t, ...twoOwners)
    .when(leave(ANNA))
    .thenRecords({ type: 'MemberLeft', data: { userId: ANNA } });
});

test('members are removed by admins, owners by owners', async (t) => {
  const removed = (userId: string): OrganizationEvent => ({
    type: 'MemberRemoved',
    data: { userId },
  });
  organization(t, ...team)
    .when(remove(CARL, by(BERT)))
    .thenRecords(removed(CARL));
  organization(t, ...team)
    .when(remove(BERT, by(BERT)))
    .thenRecords(removed(BERT));
  organization(t, ...team)
    .when(remove(BERT, by(CARL)))
    .thenRefuses('forbidden');
  organization(t, ...twoOwners)
    .when(remove(BERT, by(CARL)))
    .thenRefuses('forbidden');
  organization(t, ...twoOwners)
    .when(remove(BERT, by(ANNA)))
    .thenRecords(removed(BERT));
  organization(t, ...team)
    .when(remove('usr_nobody000000', by(ANNA)))
    .thenRefuses('member-not-found');
});

test('a member leaves once', async (t) => {
  const left: OrganizationEvent = { type: 'MemberLeft', data: { userId: CARL } };
  organization(t, ...team)
    .when(leave(CARL))
    .thenRecords(left);
  organization(t, ...team, left)
    .when(leave(CARL))
    .thenRefuses('member-not-found');
});

test('an owner hands the ownership over to a member', async (t) => {
  organization(t, ...team)
    .when(handOver(ANNA, CARL))
    .thenRecords({
      type: 'OwnershipHandedOver',
      data: { from: ANNA, to: CARL, role: 'admin' },
    });
  organization(t, ...team)
    .when(handOver(ANNA, ANNA))
    .thenRecords();
  organization(t, ...team)
    .when(handOver(BERT, CARL))
    .thenRefuses('forbidden');
  organization(t, ...team)
    .when(handOver(ANNA, 'usr_nobody000000'))
    .thenRefuses('member-not-found');
});

test('an organization that never had an owner needs none', async (t) => {
  const ownerless: OrganizationEvent = {
    type: 'OrganizationRegistered',
    data: { name: 'Default' },
  };
  organization(t, ownerless, joined(BERT, 'admin'))
    .when(leave(BERT))
    .thenRecords({ type: 'MemberLeft', data: { userId: BERT } });
});

const user = fc.constantFrom(ANNA, BERT, CARL, 'usr_dora00000000');
const asker = fc.oneof(
  user.map((userId): Asker => ({ userId })),
  fc.constantFrom<Asker>({ role: 'owner' }, { role: 'admin' }),
);
const role = fc.constantFrom(...ROLES);
const command: fc.Arbitrary<OrganizationCommand> = fc.oneof(
  fc.tuple(user, role, asker).map((given) => change(...given)),
  fc.tuple(user, asker).map((given) => remove(...given)),
  user.map(leave),
  fc.tuple(user, user).map((given) => handOver(...given)),
  fc.tuple(user, role, asker).map(([userId, given, one]): OrganizationCommand => ({
    type: 'InviteMember',
    data: {
      ...{ organizationId, invitationId: userId, email: `${userId}@example.com`, role: given },
      ...{ projects: {}, expiresAt: '2026-11-28', now: '2026-11-21', by: one },
    },
  })),
  user.map((userId): OrganizationCommand => ({
    type: 'AcceptInvitation',
    data: { organizationId, invitationId: userId, userId, now: '2026-11-21' },
  })),
);

const { initialState, evolve, decide } = organizationDecider;

/** The events of a command; none when it is refused. */
const decided = (one: OrganizationCommand, state: typeof initialState) => {
  try {
    return decide(one, state, NO_PROJECTS);
  } catch (error) {
    if (error instanceof DomainError) return [];
    throw error;
  }
};

test('no sequence of commands leaves an organization that had an owner without one', async (t) => {
  let changes = 0;
  property(t, [fc.array(command, { minLength: 30, maxLength: 60 })], (commands) => {
    let state = evolve(initialState, registered);
    for (const one of commands) {
      const events = decided(one, state);
      changes += events.length;
      state = events.reduce(evolve, state);
      const hasOwner =
        state.status === 'active' && state.members.some((member) => member.role === 'owner');
      if (!hasOwner) return false;
    }
    return true;
  });
  t.ok(changes > 5_000, `${changes} changes were made`);
});

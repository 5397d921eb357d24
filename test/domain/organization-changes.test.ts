import { test } from 'tap';
import { organizationChangesBetween } from '../../src/domain/changes/organization-changes.js';
import { normalisedEmail } from '../../src/domain/personal/person.js';
import { type ExistingOrganization } from '../../src/domain/organization.js';

const anna = {
  userId: 'usr_anna',
  email: 'anna@example.com',
  role: 'owner',
  projects: {},
} as const;
const invitation = {
  invitationId: 'inv',
  email: 'bert@example.com',
  role: 'viewer',
  projects: {},
  expiresAt: '2026-11-28T12:00:00.000Z',
} as const;
const before: ExistingOrganization = {
  status: 'active',
  name: 'Acme',
  members: [anna],
  invitations: [invitation],
};

const texts = (after: ExistingOrganization | undefined, from = before) =>
  organizationChangesBetween(from, after).map(({ text }) => text);

test('equal organizations have no changes', async (t) => {
  t.strictSame(texts(before), []);
  t.strictSame(organizationChangesBetween(undefined, undefined), []);
});

test('a registration tells the first owner', async (t) => {
  t.strictSame(organizationChangesBetween(undefined, { ...before, invitations: [] }), [
    { path: '/status', after: 'active', text: 'registered as "Acme"' },
    {
      path: '/members/usr_anna',
      after: { role: 'owner', projects: {} },
      text: 'usr_anna: member as owner',
    },
  ]);
  t.strictSame(texts(undefined), ['did not exist']);
});

test('who comes, goes and changes is told by id', async (t) => {
  const bert = { ...anna, userId: 'usr_bert', email: invitation.email };
  t.strictSame(texts({ ...before, members: [anna, bert], invitations: [] }), [
    'usr_bert: member as owner',
    'inv: not invited any more',
  ]);
  t.strictSame(texts({ ...before, members: [] }), ['usr_anna: no member any more']);
  t.strictSame(
    texts({ ...before, members: [{ ...anna, role: 'none', projects: { web: 'admin' } }] }),
    [
      'usr_anna: role was "owner", now "none"',
      'usr_anna: roles in projects was {}, now {"web":"admin"}',
    ],
  );
  t.strictSame(texts({ ...before, name: 'Ajax' }), ['name was "Acme", now "Ajax"']);
});

test('another address behind an id is noticed, and not told', async (t) => {
  const found = texts({ ...before, members: [{ ...anna, email: 'eve@example.com' }] });
  t.strictSame(found, ['usr_anna: another person']);
});

test('addresses are one in all ways to write them, but for dots and plus', async (t) => {
  t.equal(normalisedEmail('  Zoe\u0308@Example.COM\n'), 'zo\u00eb@example.com');
  t.equal(normalisedEmail('a.b+c@example.com'), 'a.b+c@example.com');
});

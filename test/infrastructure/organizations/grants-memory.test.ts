import { test } from 'tap';
import { grantsMemory } from '../../../src/infrastructure/accounts/grants.js';
import {
  organizationIdFrom,
  sha256,
  userIdFrom,
} from '../../../src/infrastructure/keys/secrets.js';

const anna = { userId: 'usr_anna00000000', role: 'admin', projects: {} } as const;
const bert = { userId: 'usr_bert00000000', role: 'none', projects: { web: 'editor' } } as const;

test('a member has what the organization gave, and nobody else has anything', async (t) => {
  const { adopt, grantsOf } = grantsMemory();
  adopt({ organizationId: 'acme', position: 5, members: [anna, bert] });
  t.strictSame(grantsOf('acme', anna.userId), { role: 'admin', projects: {} });
  t.strictSame(grantsOf('acme', bert.userId), { role: 'none', projects: { web: 'editor' } });
  t.equal(grantsOf('acme', 'usr_carl00000000'), undefined);
  t.equal(grantsOf('ajax', anna.userId), undefined);
  t.equal(grantsOf('acme', '__proto__'), undefined);
});

test('what is older never comes back', async (t) => {
  const { adopt, grantsOf } = grantsMemory();
  adopt({ organizationId: 'acme', position: 7, members: [] });
  adopt({ organizationId: 'acme', position: 5, members: [anna] });
  adopt({ organizationId: 'acme', position: 7, members: [anna] });
  t.equal(grantsOf('acme', anna.userId), undefined);
  adopt({ organizationId: 'acme', position: 8, members: [anna] });
  t.not(grantsOf('acme', anna.userId), undefined);
});

test('ids follow from the digest, that of an organization begins with its name', async (t) => {
  const digest = sha256('one');
  const slugs = [
    ['Acme', /^acme-[a-z0-9]{6}$/],
    ['  Café "Zoë" & Co. of the very long name', /^cafe-zoe-co-of-the-v-[a-z0-9]{6}$/],
    ['株式会社', /^org-[a-z0-9]{6}$/],
    ['--', /^org-[a-z0-9]{6}$/],
  ] as const;
  t.plan(2 + slugs.length);
  t.match(userIdFrom(digest), /^usr_[0-9A-Za-z]{12}$/);
  t.not(userIdFrom(digest), userIdFrom(sha256('two')));
  for (const [name, shape] of slugs) t.match(organizationIdFrom(name, digest), shape, name);
});

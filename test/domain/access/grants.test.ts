import { test } from 'tap';
import {
  type Grants,
  isWithin,
  may,
  OWNER_GRANTS,
  projectsWith,
  seesProject,
} from '../../../src/domain/access/grants.js';

const inOneProject: Grants = { role: 'none', projects: { shop: 'editor', blog: 'viewer' } };

test('a role in a project counts there and nowhere else', async (t) => {
  t.equal(may(inOneProject, 'flags.write', 'shop'), true);
  t.equal(may(inOneProject, 'flags.write', 'blog'), false);
  t.equal(may(inOneProject, 'project.read', 'blog'), true);
  t.equal(may(inOneProject, 'project.read', 'other'), false);
});

test('the wider of two roles counts', async (t) => {
  const viewer: Grants = { role: 'viewer', projects: { shop: 'admin' } };
  t.equal(may(viewer, 'keys.manage', 'shop'), true);
  t.equal(may(viewer, 'keys.manage', 'blog'), false);
  t.equal(may(viewer, 'project.read', 'blog'), true);
});

test('a role in a project gives nothing of the organization', async (t) => {
  const admin: Grants = { role: 'none', projects: { shop: 'admin' } };
  t.equal(may(admin, 'members.manage'), false);
  t.equal(may(admin, 'members.manage', 'shop'), false);
  t.equal(may(admin, 'audit.verify'), false);
});

test('without a project, a permission in any of them will do, and tells which', async (t) => {
  t.equal(may(inOneProject, 'audit.read'), true);
  t.strictSame(projectsWith(inOneProject, 'audit.read'), ['shop']);
  t.strictSame(projectsWith(inOneProject, 'project.read'), ['shop', 'blog']);
  t.equal(projectsWith({ role: 'viewer', projects: {} }, 'project.read'), undefined);
  t.strictSame(projectsWith({ role: 'none', projects: {} }, 'project.read'), []);
});

test('names that objects have anyway are no projects', async (t) => {
  t.equal(may(inOneProject, 'project.read', 'constructor'), false);
  t.equal(seesProject(inOneProject, '__proto__'), false);
});

test('an auditor reads everything and changes nothing', async (t) => {
  const auditor: Grants = { role: 'auditor', projects: {} };
  t.equal(may(auditor, 'audit.read'), true);
  t.equal(may(auditor, 'audit.verify'), true);
  t.equal(may(auditor, 'members.read'), true);
  t.equal(may(auditor, 'flags.write', 'shop'), false);
  t.equal(may(auditor, 'audit.sign'), false);
  t.equal(may(auditor, 'keys.manage', 'shop'), false);
});

test('a viewer reads without the audit log', async (t) => {
  const viewer: Grants = { role: 'viewer', projects: {} };
  t.equal(may(viewer, 'project.read', 'shop'), true);
  t.equal(may(viewer, 'audit.read'), false);
  t.equal(may(viewer, 'audit.read', 'shop'), false);
  t.equal(may(viewer, 'members.read'), false);
});

test('nobody can give more than they have', async (t) => {
  const admin: Grants = { role: 'admin', projects: {} };
  const inShop = (role: 'admin' | 'editor'): Grants => ({ role: 'none', projects: { shop: role } });
  t.ok(isWithin(admin, OWNER_GRANTS));
  t.ok(isWithin(admin, admin));
  t.notOk(isWithin(OWNER_GRANTS, admin), 'only an owner makes owners');
  t.ok(isWithin(inShop('admin'), admin));
  t.ok(isWithin(inShop('editor'), inShop('admin')));
  t.notOk(isWithin(inShop('admin'), inShop('editor')));
  t.notOk(isWithin({ role: 'none', projects: { bank: 'viewer' } }, inShop('admin')));
  t.notOk(isWithin({ role: 'viewer', projects: {} }, inShop('admin')));
  t.ok(isWithin({ role: 'none', projects: { shop: 'editor' } }, { role: 'editor', projects: {} }));
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'tap';
import { type NewAccount } from '../../../src/identity/ports.js';
import { joiningWith } from '../../../src/identity/organizations.js';
import { writeSide } from '../../../src/composition/write-side.js';
import { NO_GRANTS } from '../../../src/domain/access/grants.js';
import { DomainError } from '../../../src/domain/decider.js';
import { requireGoodPassword } from '../../../src/infrastructure/accounts/passwords.js';
import { loadMasterKey } from '../../../src/infrastructure/keys/master-key.js';
import { inMemoryEventStore } from '../../support/in-memory-event-store.js';
import { metadata } from '../../support/metadata.js';
import { PASSWORD } from '../../support/people.js';

const wanted = { name: 'Acme', email: ' Anna@Example.com ', password: PASSWORD, commandId: 'c1' };
const signal = new AbortController().signal;

test('a registration', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'chronoflag-joining-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true });
  });
  const masterKey = await loadMasterKey({ configured: undefined, file: join(folder, 'key') });
  const store = inMemoryEventStore();
  const order: string[] = [];
  const accounts: NewAccount[] = [];
  const { organizations } = writeSide(store, async () => 0);
  const { registering } = joiningWith({
    handle: async (request) => {
      if (request.dryRun !== true) order.push('event');
      return organizations(request);
    },
    accounts: {
      requireGoodPassword,
      create: async (account) => {
        order.push('account');
        accounts.push(account);
      },
      endSessions: async () => undefined,
      end: async () => undefined,
    },
    // No token is looked up by a registration.
    invitations: { find: async () => undefined, save: async () => true },
    masterKey,
    usedKeys: { claim: async () => 'new', release: async () => undefined },
    isRegistrationOpen: true,
  });
  const register = async (change: Partial<typeof wanted> = {}, dryRun = false) => {
    const { command, handle, organizationId } = registering({ ...wanted, ...change });
    const asked = metadata(change.commandId ?? wanted.commandId, 'hash of the whole body');
    const outcome = await handle({ command, metadata: asked, grants: NO_GRANTS, dryRun, signal });
    return { ...outcome, organizationId };
  };

  await t.test('a dry run and a weak password make nothing', async (t) => {
    t.match(await register({}, true), { kind: 'dry-run' });
    await t.rejects(register({ password: 'short' }), { code: 'weak-password' });
    await t.rejects(register({ password: 'short' }, true), DomainError);
    t.strictSame(order, []);
  });

  await t.test('has its account before the log has the owner', async (t) => {
    const { kind, organizationId } = await register();
    t.equal(kind, 'recorded');
    t.strictSame(order, ['account', 'event']);
    const { events } = await store.read(`organization-${organizationId}`);
    const [account] = accounts;
    t.match(account, { organizationId, email: 'anna@example.com', password: PASSWORD });
    const actor = { id: account?.userId, type: 'user', authMethod: 'registration' };
    t.match(events, [{ type: 'OrganizationRegistered', metadata: { actor } }]);
    t.not(
      events[0]?.metadata.commandHash,
      'hash of the whole body',
      'from what is kept of the request no password can be guessed',
    );
  });

  await t.test('is one when it is repeated, and its password stays', async (t) => {
    t.match(await register(), { kind: 'repeated' });
    t.equal(accounts.length, 1);
  });

  await t.test('with the Idempotency-Key of another is another', async (t) => {
    const { organizationId } = await register();
    const stranger = await register({ password: `${PASSWORD} too` });
    t.equal(stranger.kind, 'recorded');
    t.not(stranger.organizationId, organizationId);
  });
});

import { test } from 'tap';
import { AppendOutcomeUnknown, type EventStore } from '../../src/commands/streams/event-store.js';
import { OWNER_GRANTS } from '../../src/domain/access/grants.js';
import { credentialStore } from '../../src/infrastructure/keys/api-tokens.js';
import { apiTokens } from '../../src/identity/keys.js';
import { testDatabase } from '../support/database.js';
import { inMemoryEventStore } from '../support/in-memory-event-store.js';
import { metadata } from '../support/metadata.js';
import { processOn } from '../support/write-sides.js';

/** Writes, and then says that it does not know. */
const unconfirmed = (store: EventStore): EventStore => ({
  ...store,
  append: async (...args) => {
    await store.append(...args);
    throw new AppendOutcomeUnknown('The connection broke.');
  },
});

const WANTED = {
  organizationId: 'acme',
  name: 'deploys',
  grants: OWNER_GRANTS,
  by: OWNER_GRANTS,
  commandId: 'c1',
};

test('a token has the secret of one of two who found its event by their own try', async (t) => {
  const { pool } = await testDatabase(t);
  const credentials = credentialStore(pool);
  const log = inMemoryEventStore();
  const issue = async (store: EventStore) => {
    const issuing = apiTokens(processOn(store).side.apiKeys, credentials).issuing(WANTED);
    const { command, handle, secret } = issuing;
    const signal = AbortSignal.timeout(10_000);
    const outcome = await handle({
      ...{ command, signal, metadata: metadata('c1'), grants: OWNER_GRANTS },
    });
    return { outcome, secret: secret() };
  };

  const first = await issue(unconfirmed(log));
  t.match(first.outcome, { kind: 'recorded', isFirst: true });
  const { secret = '' } = first;
  t.match(await credentials.verify(secret), { organizationId: 'acme' }, 'its secret works');

  const second = await issue(unconfirmed(log));
  t.equal(second.outcome.kind, 'repeated');
  t.equal(second.secret, undefined);
  const before = apiTokens(
    async (request) => ({ ...(await processOn(log).side.apiKeys(request)), isOwnTry: true }),
    credentials,
  ).issuing(WANTED);
  const { command, handle } = before;
  const own = await handle({
    ...{ command, signal: AbortSignal.timeout(10_000), metadata: metadata('c1') },
    grants: OWNER_GRANTS,
  });
  t.match(own, { kind: 'repeated', isOwnTry: false }, 'nobody takes it for the first answer');
});

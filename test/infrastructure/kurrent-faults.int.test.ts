import { AccessDeniedError, UnknownError } from '@eventstore/db-client';
import { test } from 'tap';
import { WrongRevision } from '../../src/commands/streams/event-store.js';
import { isNotReady } from '../../src/infrastructure/kurrent/client.js';
import { appendFault, readFault } from '../../src/infrastructure/kurrent/faults.js';
import { unanswered } from '../../src/infrastructure/kurrent/connect.js';
import { provenRefusal } from '../../src/infrastructure/kurrent/proven-refusal.js';
import { connectService, event, startStore } from '../support/event-store.js';

/** As the client makes them: of an answer to an append without a message, of a failed call with a code. */
const denied = new AccessDeniedError(undefined);
const unauthenticated = Object.assign(new Error('16 UNAUTHENTICATED: '), { code: 16 });
const notReady = new UnknownError(undefined, 'Could not recognize Server Is Not Ready');
const undiscovered = new Error('Failed to discover after 10 attempts.');

test('what the event store refuses is told as refused, and the log is told by what', async (t) => {
  const fault = appendFault(denied, false);
  t.match(fault, { name: 'EventStoreRefuses', message: /does not let this service write/ });
  t.match(fault.cause, { message: /^access-denied: ./ }, 'never an empty message');
  t.match(appendFault(unauthenticated, false), { name: 'EventStoreRefuses', message: /login/ });
  t.match(readFault(denied), { name: 'EventStoreRefuses', message: /read/ });
  t.match(readFault(unauthenticated), { name: 'EventStoreRefuses', message: /login/ });
});

test('where nothing was sent or taken in, nothing was written', async (t) => {
  t.ok(isNotReady(notReady));
  for (const error of [notReady, undiscovered])
    t.match(appendFault(error, false), { name: 'EventStoreUnavailable' });
  t.match(readFault(undiscovered), { name: 'EventStoreUnavailable' });
  t.match(readFault(unanswered()), { name: 'EventStoreUnavailable' });
  t.match(appendFault(unanswered(), false), { name: 'AppendOutcomeUnknown' });
  const broken = Object.assign(new Error('14 UNAVAILABLE: Connection dropped'), { code: 14 });
  t.match(appendFault(broken, false), { name: 'AppendOutcomeUnknown' });
});

test('a revision is refused only when a read shows why', async (t) => {
  const { store, client } = await startStore(t);
  await client.appendToStream('a', [event('First'), event('Second')]);
  const connection = connectService(t, store.url, { timeoutMs: 300 });
  t.match(await provenRefusal(connection, 'a', new WrongRevision(0, 1)), { actual: 1 });
  for (const hidden of [new WrongRevision(1, 1), new WrongRevision(0, 2)])
    t.match(await provenRefusal(connection, 'a', hidden), { name: 'AppendOutcomeUnknown' });
});

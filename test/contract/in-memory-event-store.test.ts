import { test } from 'tap';
import { inMemoryEventStore } from '../support/in-memory-event-store.js';
import { eventStoreContract } from './event-store.js';

test('the store in memory keeps the contract', async (t) => {
  await eventStoreContract(t, inMemoryEventStore(), (name) => name);
});

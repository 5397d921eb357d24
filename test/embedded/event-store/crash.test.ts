import { EventStoreDBClient } from '@eventstore/db-client';
import { test } from 'tap';
import {
  appendUntilGone,
  findAll,
  flawsOf,
  type Acknowledged,
  type Found,
} from '../../support/acknowledged.js';
import { buildEventStore, spawnStore } from '../../support/event-store-process.js';
import { startStore, temporaryFolder } from '../../support/event-store.js';
import { freePort } from '../../support/free-port.js';

const ROUNDS = process.env['FAULTS'] === 'long' ? 40 : 5;
const WORKERS = 16;
const KILL_AFTER = 200;

test('killed in mid-load, the store keeps every acknowledged event, once and unchanged', async (t) => {
  const main = await buildEventStore(t);
  const db = temporaryFolder(t);
  const acknowledged: Acknowledged[] = [];
  let found: Found[] = [];

  for (let round = 1; round <= ROUNDS; round++) {
    const store = spawnStore(t, main, ['--port', `${await freePort()}`, '--db', db]);
    const url = (await store.ready).split(' ').at(-1) ?? '';
    const client = EventStoreDBClient.connectionString(url);
    const killAt = acknowledged.length + KILL_AFTER + 97 * (round % 5);
    await Promise.all(
      Array.from({ length: WORKERS }, (_, worker) =>
        appendUntilGone(client, `r${round}w${worker}`, (events) => {
          acknowledged.push(...events);
          if (acknowledged.length >= killAt) store.process.kill('SIGKILL');
        }),
      ),
    );
    await store.ended;
    await client.dispose();

    const { client: reader, store: restarted } = await startStore(t, db);
    found = await findAll(reader);
    await restarted.close();
    t.strictSame(flawsOf(acknowledged, found), [], `round ${round}: ${acknowledged.length} events`);
  }

  await t.test('and the comparison notices what would be wrong', async (t) => {
    const [first, second, ...rest] = found as [Found, Found, ...Found[]];
    const lost = found.filter(({ id }) => id !== acknowledged[40]?.id);
    const known = found.findIndex(({ id }) => id === acknowledged[7]?.id);
    const changed = found.with(known, { ...(found[known] ?? first), data: 'other' });
    const moved = found.with(known, { ...(found[known] ?? first), stream: 'elsewhere' });
    t.match(flawsOf(acknowledged, lost).join(), /is lost/);
    t.match(flawsOf(acknowledged, [...found, ...found.slice(-1)]).join(), /out of order/);
    t.match(flawsOf(acknowledged, found.concat(found[known] ?? first)).join(), /there 2 times/);
    t.match(flawsOf(acknowledged, [second, first, ...rest]).join(), /out of order/);
    t.match(flawsOf(acknowledged, changed).join(), /has changed/);
    t.match(flawsOf(acknowledged, moved).join(), /has changed/);
  });
});

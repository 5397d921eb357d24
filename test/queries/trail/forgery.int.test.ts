import { join } from 'node:path';
import { jsonEvent } from '@eventstore/db-client';
import { test, type Test } from 'tap';
import { type Checkpoint } from '../../../src/domain/audit/checkpoint.js';
import { type Position } from '../../../src/domain/position.js';
import { startEventStore } from '../../../src/embedded/event-store/start.js';
import { loadSigningKey, rotateSigningKey } from '../../../src/infrastructure/audit/signing-key.js';
import { takeCheckpoint } from '../../../src/infrastructure/audit/take-checkpoint.js';
import {
  kurrentConnection,
  type KurrentConnection,
} from '../../../src/infrastructure/kurrent/connection.js';
import { kurrentEventLog } from '../../../src/infrastructure/kurrent/event-log.js';
import { type LogEvent } from '../../../src/projections/event-log.js';
import { listCheckpoints } from '../../../src/queries/trail/checkpoints.js';
import { proveEvent } from '../../../src/queries/trail/prove-event.js';
import { verifyTrail } from '../../../src/queries/trail/verify-trail.js';
import { applyBatches } from '../../support/applied-rows.js';
import { testDatabase } from '../../support/database.js';
import { temporaryFolder } from '../../support/event-store.js';
import { editLog, type ForgedEvent, forgeLog } from '../../support/forged-log.js';
import { emptyReadModel } from '../../support/read-model.js';
import { OTHER_ORGANIZATION, shopLog } from '../../support/shop-log.js';

/** The first checkpoint covers so many of acme's events, the second all of them. */
const FIRST_SPAN = 8;

type Change = (events: readonly ForgedEvent[]) => readonly ForgedEvent[];

const textIn = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

/** Replaces text of the same length, so that nothing else in the log moves. */
const replaced =
  (part: 'data' | 'metadata', nth: number, from: string, to: string): Change =>
  (events) =>
    events.map((event, index) => {
      if (index !== nth) return event;
      const text = textIn(event[part]);
      if (!text.includes(from) || from.length !== to.length) throw new Error(`not in ${text}`);
      return { ...event, [part]: Buffer.from(text.replace(from, to)) };
    });

/** The shop's log in an embedded store, its read model, and two checkpoints over acme's part of it. */
const now = (): Date => new Date('2026-03-01T12:00:00.000Z');

const provenShop = async (t: Test) => {
  const folder = temporaryFolder(t);
  const { pool } = await testDatabase(t);
  const keyFile = join(folder, 'key.pem');
  const key = await loadSigningKey({ file: keyFile, mayGenerate: true });
  const withStore = async <T>(work: (connection: KurrentConnection) => Promise<T>): Promise<T> => {
    const store = await startEventStore({ folder: join(folder, 'log'), port: 0 });
    const connection = kurrentConnection(store.url);
    try {
      return await work(connection);
    } finally {
      await connection.close();
      await store.close();
    }
  };
  const stored = (connection: KurrentConnection) => async (): Promise<LogEvent[]> => {
    const all: LogEvent[] = [];
    const { signal } = new AbortController();
    for await (const { events } of kurrentEventLog(connection).readForward(null, signal))
      all.push(...events);
    return all;
  };
  const take = takeCheckpoint(pool, key, { now });
  const written = await withStore(async (connection) => {
    const { client } = await connection.lease();
    for (const { id, type, data, metadata, stream } of shopLog)
      await client.appendToStream(stream, jsonEvent({ id, type, data, metadata }));
    return stored(connection)();
  });
  const { checkpoint: after } = await applyBatches(pool, [written.slice(0, FIRST_SPAN)]);
  await take('acme');
  await applyBatches(pool, [written.slice(FIRST_SPAN)], after);
  const latest = await take('acme');
  if (latest === undefined) throw new Error('Nothing was signed.');

  return {
    pool,
    key,
    keyFile,
    written,
    latest,
    take,
    folder: join(folder, 'log'),
    forge: (change: Change) => {
      forgeLog(join(folder, 'log'), (events) => {
        const isSystem = ({ stream }: ForgedEvent): boolean => stream.startsWith('$');
        return [...events.filter(isSystem), ...change(events.filter((event) => !isSystem(event)))];
      });
    },
    verify: (checkpoint?: Checkpoint, organizationId = 'acme', withKey = key) =>
      withStore(async (connection) =>
        verifyTrail({ db: pool, log: kurrentEventLog(connection), key: withKey })({
          organizationId,
          checkpoint,
        }),
      ),
    prove: (position: Position, withKey = key) =>
      withStore((connection) =>
        proveEvent({ db: pool, log: kurrentEventLog(connection), key: withKey })('acme', position),
      ),
    /** The read model as it is after a rebuild from what the log has now. */
    rebuild: async () => {
      const events = await withStore((connection) => stored(connection)());
      await emptyReadModel(pool);
      await applyBatches(pool, [events]);
    },
  };
};

const place = ({ position, stream, revision, type, id }: LogEvent) => ({
  position,
  stream,
  revision,
  type,
  id,
});

const dropped =
  (nth: number): Change =>
  (events) =>
    events.filter((_, index) => index !== nth);

test('what is too long for one checkpoint is signed in several, one after the other', async (t) => {
  const { pool, key, verify } = await provenShop(t);
  await takeCheckpoint(pool, key, { now, longest: 1 })(OTHER_ORGANIZATION);
  const spans = (await listCheckpoints(pool)(OTHER_ORGANIZATION)).map(
    ({ statement: { from, count } }) => [from, count],
  );
  t.strictSame(spans, [
    [0, 1],
    [1, 2],
  ]);
  t.match(await verify(undefined, OTHER_ORGANIZATION), {
    integrity: { verdict: 'holds' },
    completeness: { verdict: 'holds' },
  });
});

test('an honest log is proven whole, whoever asks', async (t) => {
  const shop = await provenShop(t);
  const found = await shop.verify();
  t.match(found, {
    events: shop.latest.statement.count,
    head: shop.latest.statement.head,
    position: shop.latest.statement.position,
    unattested: 0,
    integrity: { verdict: 'holds', found: 0, first: null },
    completeness: { verdict: 'holds', found: 0, first: null },
    checkpoint: { reproduction: 'reproduced' },
    unknownSignatures: 0,
    readModel: { found: 0, first: null },
  });
  t.match(await shop.verify(undefined, OTHER_ORGANIZATION), {
    events: 2,
    integrity: { verdict: 'unproven', found: 0 },
    completeness: { verdict: 'unproven', found: 0 },
    checkpoint: null,
  });
});

const ALTERATIONS: readonly (readonly [what: string, nth: number, change: Change])[] = [
  ['what was done', 7, replaced('data', 7, '25000', '52000')],
  ['who did it', 7, replaced('metadata', 7, 'user-1', 'user-9')],
  [
    'when it was',
    9,
    (events) =>
      events.map((event, nth) =>
        nth === 9 ? { ...event, createdMs: event.createdMs - 1 } : event,
      ),
  ],
  [
    'of what type it is',
    4,
    (events) => events.map((event, nth) => (nth === 4 ? { ...event, type: 'FlagEnableD' } : event)),
  ],
];

for (const [what, nth, change] of ALTERATIONS)
  test(`an event that was altered is named: ${what}`, async (t) => {
    const shop = await provenShop(t);
    shop.forge(change);
    const bad = shop.written[nth]!;
    t.match(await shop.verify(), {
      integrity: { verdict: 'broken', found: 1, first: { kind: 'altered', ...place(bad) } },
      completeness: { verdict: 'holds', found: 0 },
      checkpoint: { reproduction: 'different' },
    });
    await t.rejects(shop.prove(bad.position), { code: 'audit-chain-broken' });
  });

test('an event that was dropped is named, with those that moved into its place', async (t) => {
  const shop = await provenShop(t);
  shop.forge(dropped(6));
  t.match(await shop.verify(), {
    completeness: {
      verdict: 'broken',
      found: 1,
      first: { kind: 'missing', ...place(shop.written[6]!) },
    },
    integrity: { verdict: 'broken', first: { kind: 'moved', ...place(shop.written[7]!) } },
  });
});

test('events that were put in another order are named', async (t) => {
  const shop = await provenShop(t);
  shop.forge((events) => [...events.slice(0, 5), events[6]!, events[5]!, ...events.slice(7)]);
  t.match(await shop.verify(), {
    integrity: { verdict: 'broken', first: { kind: 'moved', ...place(shop.written[5]!) } },
    completeness: { verdict: 'holds', found: 0 },
  });
});

test('an event that was put in is named', async (t) => {
  const shop = await provenShop(t);
  const id = '018f2b7c-0000-4000-8000-00000000beef';
  shop.forge((events) => [...events.slice(0, 7), { ...events[7]!, id }, ...events.slice(7)]);
  t.match(await shop.verify(), {
    integrity: {
      verdict: 'broken',
      first: { kind: 'inserted', position: shop.written[7]!.position, id },
    },
    completeness: { verdict: 'holds', found: 0 },
  });
});

test('events that were cut off are missing; what is left is what was signed', async (t) => {
  const shop = await provenShop(t);
  const kept = shop.written.length - 3;
  shop.forge((events) => events.slice(0, kept));
  t.match(await shop.verify(), {
    integrity: { verdict: 'holds', found: 0 },
    completeness: {
      verdict: 'broken',
      found: 3,
      first: { kind: 'missing', ...place(shop.written[kept]!) },
    },
    checkpoint: { reproduction: 'too-short' },
  });
});

test('a log and a read model that were both forged do not reproduce the checkpoint', async (t) => {
  const shop = await provenShop(t);
  shop.forge(replaced('data', 7, '25000', '52000'));
  await shop.rebuild();
  t.match(await shop.verify(), {
    integrity: { verdict: 'broken', found: 0, first: null, explanation: /read model agrees/ },
    completeness: { verdict: 'unproven' },
    checkpoint: { reproduction: 'different' },
  });
  await t.rejects(shop.take('acme'), { code: 'audit-chain-broken' });
});

test('a shorter log with a read model of its own and no checkpoints is found with one kept outside', async (t) => {
  const shop = await provenShop(t);
  shop.forge((events) => events.slice(0, -3));
  await shop.rebuild();
  await shop.pool.query('delete from chronoflag.audit_checkpoint');
  t.match(await shop.verify(), { completeness: { verdict: 'unproven' } });
  t.match(await shop.verify(shop.latest), {
    completeness: { verdict: 'broken', found: 3 },
    checkpoint: { reproduction: 'too-short' },
  });
});

test('a read model that was altered is told from a log that was', async (t) => {
  const shop = await provenShop(t);
  await shop.pool.query(`update audit_chain set hash = '\\x00' where sequence = 6`);
  t.match(await shop.verify(), {
    integrity: { verdict: 'holds' },
    completeness: { verdict: 'holds' },
    readModel: { found: 2, first: { kind: 'altered', position: shop.written[5]!.position } },
  });
});

test('a checkpoint that we did not sign, or not for this organization, proves nothing', async (t) => {
  const shop = await provenShop(t);
  const { statement, signature } = shop.latest;
  const refused = { code: 'invalid-checkpoint' };
  const forged = { statement: { ...statement, count: statement.count - 1 }, signature };
  await t.rejects(shop.verify(forged), refused);
  await t.rejects(shop.verify(shop.latest, OTHER_ORGANIZATION), refused);
  await shop.pool.query(`update chronoflag.audit_checkpoint set signature = $1 where count = $2`, [
    Buffer.alloc(64).toString('base64'),
    statement.count,
  ]);
  t.match(await shop.verify(), {
    unknownSignatures: 1,
    checkpoint: { statement: { count: statement.from } },
  });
});

test('checkpoints of a key that another one came after prove what they proved', async (t) => {
  const shop = await provenShop(t);
  await rotateSigningKey(shop.keyFile, new Date('2026-03-02T12:00:00.000Z'));
  const next = await loadSigningKey({ file: shop.keyFile, mayGenerate: false });
  t.match(await shop.verify(shop.latest, 'acme', next), {
    integrity: { verdict: 'holds' },
    completeness: { verdict: 'holds' },
    checkpoint: { reproduction: 'reproduced' },
    unknownSignatures: 0,
  });
  const { publicKey } = await shop.prove(shop.written[3]!.position, next);
  t.equal(publicKey, shop.key.publicKey, 'a proof names the key that signed');
});

test('the store itself refuses a file that was edited without care', async (t) => {
  const shop = await provenShop(t);
  editLog(shop.folder, `update events set frame = zeroblob(length(frame)) where revision = 1`);
  await t.rejects(shop.verify(), { message: /is not what was written/ });
});

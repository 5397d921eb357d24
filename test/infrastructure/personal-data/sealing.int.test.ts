import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { test } from 'tap';
import { personOf } from '../../../src/domain/personal/person.js';
import { isSealed, sealedTexts } from '../../../src/domain/personal/sealed-text.js';
import { personalEventStore } from '../../../src/infrastructure/personal-data/personal-event-store.js';
import { eventStoreContract } from '../../contract/event-store.js';
import { testDatabase } from '../../support/database.js';
import { inMemoryEventStore } from '../../support/in-memory-event-store.js';
import { metadata } from '../../support/metadata.js';
import { anyMasterKey, personalDataOn } from '../../support/personal-data.js';

const personal = (text: string) => ({ person: personOf(text), text });

test('personal data', async (t) => {
  const { pool } = await testDatabase(t);
  const masterKey = await anyMasterKey();
  const mine = personalDataOn(pool, masterKey);
  const another = personalDataOn(pool, masterKey);

  const sealed = async (organization: string, text: string): Promise<string> =>
    (await mine.sealer(organization, [personal(text)]))(personal(text));

  await t.test('any text is sealed to the same form everywhere, and opens again', async (t) => {
    const texts = fc.array(fc.string({ minLength: 1, unit: 'binary' }), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(texts, async (values) => {
        const all = values.map(personal);
        const seal = await mine.sealer('acme', all);
        const sealAgain = await another.sealer('acme', all);
        const out = all.map(seal);
        t.ok(out.every(isSealed));
        t.strictSame(all.map(sealAgain), out);
        t.notOk(all.some(({ text }, index) => text.length > 5 && out[index]?.includes(text)));
        mine.forget();
        t.strictSame(await mine.revealed('acme', { deep: [out] }), { deep: [values] });
      }),
      { numRuns: 25 },
    );
  });

  await t.test('one value in two organizations has nothing in common', async (t) => {
    const [here, there] = [await sealed('acme', 'ann'), await sealed('other', 'ann')];
    t.not(here.slice(0, 12), there.slice(0, 12));
    const { rows } = await pool.query('select s.lookup from chronoflag.personal_subject s');
    t.equal(new Set(rows.map(({ lookup }) => String(lookup))).size, rows.length);
  });

  await t.test(
    'sealed text opens for its own organization only, whatever is remembered',
    async (t) => {
      const text = await sealed('acme', 'moved@example.com');
      t.equal(await mine.revealed('other', text), text);
      t.equal(await another.revealed('other', text), text);
      await pool.query(
        `update chronoflag.personal_subject set organization_id = 'other' where subject_id = $1`,
        [text.slice(4, 12)],
      );
      mine.forget();
      await t.rejects(mine.revealed('other', text), { code: 'personal-data-unavailable' });
    },
  );

  await t.test(
    'sealed text that was altered, or given to another, is shown as it is',
    async (t) => {
      const [ann, bob] = [await sealed('acme', 'ann'), await sealed('acme', 'bob')];
      const altered = `${ann.slice(0, -1)}${ann.endsWith('A') ? 'Q' : 'A'}`;
      const swapped = `${bob.slice(0, 12)}${ann.slice(12)}`;
      t.strictSame(await mine.revealed('acme', [altered, swapped]), [altered, swapped]);
    },
  );

  await t.test('a value and what finds it are not in the database', async (t) => {
    await sealed('acme', 'carol@example.com');
    const { rows } = await pool.query('select s::text as row from chronoflag.personal_subject s');
    const all = rows.map(({ row }) => String(row)).join('\n');
    const digests = ['sha256', 'sha1', 'md5'].map((algorithm) =>
      createHash(algorithm).update('carol@example.com').digest('hex'),
    );
    for (const text of ['carol@example.com', ...digests]) t.notMatch(all, text);
  });

  await t.test('the event store keeps its contract, and holds only sealed text', async (t) => {
    const inner = inMemoryEventStore();
    const store = personalEventStore(inner, mine);
    await eventStoreContract(t, store, (name) => `flag-acme:demo:${name}`);
    const data = {
      environment: 'production',
      targets: [{ variant: 'on', keys: ['dora', 'emil'] }],
    };
    const event = { type: 'FlagTargetsChanged', data, id: 'e1' };
    const stream = 'flag-acme:demo:sealed';
    await store.append(stream, [event], { expectedRevision: -1, metadata: metadata('c1') });
    const held = await inner.read(stream);
    t.notMatch(JSON.stringify(held), /dora|emil/);
    t.equal(sealedTexts(held.events).size, 3, 'two people, and the hash of the command');
    t.match((await store.read(stream)).events, [{ data }]);
  });

  await t.test('without the database known people go on, new ones are refused', async (t) => {
    const known = await sealed('acme', 'ann');
    await pool.query('alter table chronoflag.personal_subject rename to away');
    t.equal(await sealed('acme', 'ann'), known);
    t.equal(await mine.revealed('acme', known), 'ann');
    await t.rejects(sealed('acme', 'new'), { code: 'personal-data-unavailable' });
    await pool.query('alter table chronoflag.away rename to personal_subject');
  });
});

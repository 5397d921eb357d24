import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'tap';
import {
  InvalidMasterKey,
  loadMasterKey,
  requireSameMasterKey,
} from '../../src/infrastructure/keys/master-key.js';
import { testDatabase } from '../support/database.js';

const folder = mkdtempSync(join(tmpdir(), 'chronoflag-master-'));
const source = (name: string) => ({ configured: undefined, file: join(folder, name) });

test('is made once, for its owner only', async (t) => {
  const first = await loadMasterKey(source('a.key'));
  const again = await loadMasterKey(source('a.key'));
  t.strictSame(again.for('x').digest('text'), first.for('x').digest('text'));
  t.equal(statSync(join(folder, 'a.key')).mode & 0o777, 0o600);
});

test('unwraps what it wrapped, for the same purpose and context only', async (t) => {
  const key = await loadMasterKey(source('b.key'));
  const { wrap, unwrap } = key.for('tokens');
  const wrapped = wrap(Buffer.from('secret'), 'tenant');
  t.equal(unwrap(wrapped, 'tenant').toString(), 'secret');
  t.notOk(wrapped.includes('secret'));
  t.throws(() => unwrap(wrapped, 'other'));
  t.throws(() => key.for('other').unwrap(wrapped, 'tenant'));
  for (const place of [0, wrapped.length - 1]) {
    const altered = Buffer.from(wrapped);
    altered[place] = (altered[place] ?? 0) ^ 1;
    t.throws(() => unwrap(altered, 'tenant'));
  }
});

test('a file that is none is refused without telling what it holds', async (t) => {
  writeFileSync(join(folder, 'c.key'), 'not a key');
  await t.rejects(loadMasterKey(source('c.key')), InvalidMasterKey);
});

test('a key that nobody made at random is refused', async (t) => {
  const weak = [Buffer.alloc(32), Buffer.alloc(32, 'secret'), Buffer.from('changeme'.repeat(4))];
  for (const key of weak) {
    const configured = key.toString('base64');
    await t.rejects(loadMasterKey({ configured, file: '' }), InvalidMasterKey);
  }
});

test('a database knows its master key', async (t) => {
  const { pool } = await testDatabase(t);
  const mine = await loadMasterKey(source('d.key'));
  await requireSameMasterKey(pool, mine);
  await requireSameMasterKey(pool, mine);
  await t.rejects(
    requireSameMasterKey(pool, await loadMasterKey(source('e.key'))),
    InvalidMasterKey,
  );
});

test('removes what it made', async () => {
  rmSync(folder, { recursive: true });
});

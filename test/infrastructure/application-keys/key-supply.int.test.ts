import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { test, type Test } from 'tap';
import { keyMemory } from '../../../src/infrastructure/keys/application-key-memory.js';
import { keyFile, keySupply } from '../../../src/infrastructure/keys/application-key-supply.js';
import { keyLists, keyTable } from '../../../src/infrastructure/keys/application-key-table.js';
import { keyIdFrom, newSecret } from '../../../src/infrastructure/keys/secrets.js';
import { migrateDatabase } from '../../../src/infrastructure/postgres/migrate.js';
import { testDatabase } from '../../support/database.js';
import { until } from '../../support/until.js';

const PLACE = { organizationId: 'acme', project: 'shop', environment: 'production' };
const anna = newSecret('srv', keyIdFrom('anna'));
const bert = newSecret('cli', keyIdFrom('bert'));

const quiet = { warn: (): void => undefined };

const started = async (t: Test, pool: pg.Pool, path: string) => {
  const memory = keyMemory();
  const supply = keySupply({
    memory,
    table: keyTable(pool),
    file: keyFile(path),
    log: quiet,
    onChange: () => undefined,
  });
  await supply.start();
  t.teardown(() => supply.close());
  return { memory, supply };
};

test('keys', async (t) => {
  const { pool, url } = await testDatabase(t);
  await migrateDatabase(pool);
  const folder = mkdtempSync(join(tmpdir(), 'keys-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const path = join(folder, 'keys.json');
  const table = keyTable(pool);
  const save = (secret: typeof anna, kind: 'server' | 'client', expiresAt: Date | null = null) =>
    table.save({ ...PLACE, ...secret, kind, name: kind, expiresAt });
  const { memory, supply } = await started(t, pool, path);

  await t.test('come by themselves, and go by themselves', async (t) => {
    await save(anna, 'server');
    await until('it has come', () => memory.verify(anna.secret) !== undefined);
    await table.revoke(anna.keyId, PLACE);
    await until('it has gone', () => memory.verify(anna.secret) === undefined);
    t.equal(memory.find(anna.keyId), undefined);
  });

  await t.test('are not missed, in whatever order they are committed', async (t) => {
    const slow = await pool.connect();
    await slow.query('begin');
    const late = newSecret('srv', keyIdFrom('late'));
    await keyTable(slow as unknown as pg.Pool).save({
      ...PLACE,
      ...late,
      kind: 'server',
      name: 'late',
      expiresAt: null,
    });
    await save(bert, 'client');
    await supply.refresh();
    t.ok(memory.verify(bert.secret));
    t.notOk(memory.verify(late.secret));
    await slow.query('commit');
    slow.release();
    await supply.refresh();
    t.ok(memory.verify(late.secret));
  });

  await t.test('are listed with their last use, which is never taken back', async (t) => {
    const at = Date.parse('2026-05-01T12:00:00Z');
    await table.recordUses(new Map([[bert.keyId, at]]));
    await table.recordUses(new Map([[bert.keyId, at - 1_000]]));
    const listed = (await keyLists(pool).list(PLACE)).find(({ keyId }) => keyId === bert.keyId);
    t.match(listed, { kind: 'client', name: 'client', lastUsedAt: new Date(at), revokedAt: null });
    t.strictSame(await keyLists(pool).list({ ...PLACE, environment: 'staging' }), []);
  });

  await t.test('are not revoked from elsewhere', async (t) => {
    await table.revoke(bert.keyId, { ...PLACE, organizationId: 'other' });
    await supply.refresh();
    t.ok(memory.verify(bert.secret));
  });

  await t.test('are known after a start without Postgres', async (t) => {
    await until('they are on disk', async () => {
      const kept = await keyFile(path).load();
      return kept?.some(({ keyId }) => keyId === bert.keyId) === true;
    });
    const nowhere = new pg.Pool({ connectionString: url.replace(/:\d+\//, ':1/') });
    t.teardown(() => nowhere.end());
    const alone = await started(t, nowhere, path);
    t.ok(alone.memory.verify(bert.secret));
    t.notOk(alone.memory.verify(anna.secret), 'but not the revoked one');
  });
});

import { test } from 'tap';
import { credentialTable } from '../../../src/infrastructure/keys/api-token-table.js';
import { keyLists, keyTable } from '../../../src/infrastructure/keys/application-key-table.js';
import { keyIdFrom, newSecret } from '../../../src/infrastructure/keys/secrets.js';
import { testDatabase } from '../../support/database.js';

const DAY_MS = 86_400_000;
const daysAgo = (days: number): Date => new Date(Date.now() - days * DAY_MS);

/** Name → days since it was issued, since it was used, until it expires; revoked. */
const LIVES: Readonly<
  Record<string, Readonly<{ issued: number; used?: number; expires?: number; revoked?: true }>>
> = {
  fresh: { issued: 1 },
  forgotten: { issued: 100 },
  busy: { issued: 100, used: 1 },
  idle: { issued: 100, used: 95 },
  expired: { issued: 100, expires: -1 },
  revoked: { issued: 100, revoked: true },
  expiring: { issued: 100, expires: 1 },
};

test('keys and tokens that count and that nobody uses are told', async (t) => {
  const { pool } = await testDatabase(t);
  const keys = keyTable(pool);
  const tokens = credentialTable(pool);
  const place = { organizationId: 'acme', environment: 'production' };
  for (const [name, { issued, used, expires, revoked }] of Object.entries(LIVES)) {
    const expiresAt = expires === undefined ? null : daysAgo(-expires);
    const [key, token] = [
      newSecret('srv', keyIdFrom(name)),
      newSecret('admin', keyIdFrom('t', name)),
    ];
    const project = name === 'idle' ? 'bank' : 'shop';
    await keys.save({ ...key, ...place, project, name, kind: 'server', expiresAt });
    const grants = { role: 'viewer', projects: {} } as const;
    await tokens.save(token, { organizationId: 'acme', name, grants, expiresAt });
    await pool.query(
      `update chronoflag.credentials
          set issued_at = $2, last_used_at = $3, revoked_at = $4
        where key_id = any ($1)`,
      [
        [key.keyId, token.keyId],
        daysAgo(issued),
        used === undefined ? null : daysAgo(used),
        revoked === true ? new Date() : null,
      ],
    );
  }
  const { report } = keyLists(pool);
  const named = (list: readonly Readonly<{ name: string }>[]) =>
    list.map(({ name }) => name).sort();
  const asked = { organizationId: 'acme', unusedForDays: 90 };

  t.strictSame(named(await report(asked)), ['expiring', 'forgotten', 'idle']);
  t.strictSame(named(await tokens.list(asked)), ['expiring', 'forgotten', 'idle']);
  t.strictSame(named(await report({ ...asked, projects: ['shop'] })), ['expiring', 'forgotten']);
  t.strictSame(named(await report({ ...asked, projects: [] })), []);
  t.equal((await report({ organizationId: 'acme' })).length, Object.keys(LIVES).length);
  t.strictSame(await report({ ...asked, organizationId: 'rival' }), []);
  t.strictSame(await tokens.list({ ...asked, organizationId: 'rival' }), []);
});

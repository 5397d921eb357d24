import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import { keyFile } from '../../../src/infrastructure/keys/application-key-supply.js';
import { keyIdFrom, newSecret } from '../../../src/infrastructure/keys/secrets.js';

const { keyId, sha256, secret } = newSecret('srv', keyIdFrom('anna'));

const KEYS = [
  {
    keyId,
    sha256,
    kind: 'server' as const,
    organizationId: 'acme',
    project: 'shop',
    environment: 'production',
    expiresAt: null,
    previousSha256: null,
    previousUntil: null,
  },
  {
    keyId: 'another-key0',
    sha256,
    kind: 'client' as const,
    organizationId: 'acme',
    project: 'shop',
    environment: 'staging',
    expiresAt: new Date('2026-06-01T00:00:00.123Z'),
    previousSha256: sha256,
    previousUntil: new Date('2026-05-01T00:00:00.456Z'),
  },
];

const inFolder = (t: Test) => {
  const folder = mkdtempSync(join(tmpdir(), 'keys-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true });
  });
  return { folder, path: join(folder, 'new', 'keys.json') };
};

test('keys are read as they were written, and nobody else can read them', async (t) => {
  const { path } = inFolder(t);
  const file = keyFile(path);
  t.equal(await file.load(), undefined, 'there is none yet');
  await file.save(KEYS);
  t.strictSame(await file.load(), KEYS);
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.notMatch(readFileSync(path, 'utf8'), secret.slice(-43));
});

test('a file that is torn or altered is not used', async (t) => {
  const { path } = inFolder(t);
  const file = keyFile(path);
  await file.save(KEYS);
  const whole = readFileSync(path, 'utf8');
  const broken = ['', '{}', whole.slice(0, -10), whole.slice(0, 40), whole.replace('shop', 'ship')];
  t.plan(broken.length);
  for (const text of broken) {
    writeFileSync(path, text);
    await t.rejects(file.load(), /torn or altered/);
  }
});

test('writing leaves nothing but the file', async (t) => {
  const { folder, path } = inFolder(t);
  const file = keyFile(path);
  await file.save(KEYS);
  await file.save([]);
  t.strictSame(readdirSync(join(folder, 'new')), ['keys.json']);
  t.ok(existsSync(path));
  t.strictSame(await file.load(), []);
});

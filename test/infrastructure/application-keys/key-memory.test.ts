import { test } from 'tap';
import { keyMemory } from '../../../src/infrastructure/keys/application-key-memory.js';
import { keyIdFrom, newSecret } from '../../../src/infrastructure/keys/secrets.js';

const EXPIRES_AT = Date.parse('2026-06-01T00:00:00Z');

const anna = newSecret('srv', keyIdFrom('anna'));
const bert = newSecret('cli', keyIdFrom('bert'));

const rowOf = (secret: typeof anna, kind: 'server' | 'client', expiresAt: Date | null = null) => ({
  ...secret,
  kind,
  organizationId: 'acme',
  project: 'shop',
  environment: 'production',
  expiresAt,
});

const started = () => {
  const time = { now: EXPIRES_AT - 10 };
  const keys = keyMemory(() => time.now);
  keys.adopt([rowOf(anna, 'server'), rowOf(bert, 'client', new Date(EXPIRES_AT))]);
  return { time, keys };
};

test('a key proves its kind and its environment', async (t) => {
  const { keys } = started();
  const about = { organizationId: 'acme', environmentId: 'acme:shop:production' };
  t.strictSame(keys.verify(anna.secret), { keyId: anna.keyId, kind: 'server', ...about });
  t.strictSame(keys.verify(bert.secret), { keyId: bert.keyId, kind: 'client', ...about });
});

test('every other text proves nothing', async (t) => {
  const { keys } = started();
  const { secret } = anna;
  const other = newSecret('srv', anna.keyId).secret;
  for (const text of [
    '',
    anna.prefix,
    secret.slice(0, -1),
    `${secret}a`,
    ` ${secret}`,
    secret.replace('srv', 'cli'),
    secret.replace('srv', 'admin'),
    other,
    newSecret('srv', keyIdFrom('unknown')).secret,
    'x'.repeat(10_000),
  ])
    t.equal(keys.verify(text), undefined, text.slice(0, 70));
});

test('a key ends when it expires, and when it is no longer there', async (t) => {
  const { keys, time } = started();
  t.ok(keys.verify(bert.secret));
  time.now = EXPIRES_AT;
  t.equal(keys.verify(bert.secret), undefined);
  t.equal(keys.find(bert.keyId), undefined);
  t.equal(keys.sign(bert.keyId, 'text'), undefined);
  keys.adopt([]);
  t.equal(keys.verify(anna.secret), undefined);
});

test('what is signed is the same in every process, and another for every key and text', async (t) => {
  const [{ keys }, { keys: elsewhere }] = [started(), started()];
  const signed = keys.sign(anna.keyId, 'text');
  t.strictSame(signed, elsewhere.sign(anna.keyId, 'text'));
  t.notSame(signed, keys.sign(bert.keyId, 'text'));
  t.notSame(signed, keys.sign(anna.keyId, 'other'));
});

test('uses are told once, the last of each key', async (t) => {
  const { keys, time } = started();
  keys.verify(anna.secret);
  time.now += 5;
  keys.verify(anna.secret);
  keys.verify(`${bert.prefix}_${'x'.repeat(43)}`);
  keys.adopt([rowOf(anna, 'server'), rowOf(bert, 'client')]);
  t.strictSame([...keys.takeUses()], [[anna.keyId, EXPIRES_AT - 5]]);
  t.strictSame([...keys.takeUses()], []);
});

test('the same request has the same key id, another has another', async (t) => {
  t.equal(keyIdFrom('a', 'b'), keyIdFrom('a', 'b'));
  t.not(keyIdFrom('a', 'b'), keyIdFrom('ab', ''));
  t.match(keyIdFrom('a'), /^[0-9A-Za-z]{12}$/);
});

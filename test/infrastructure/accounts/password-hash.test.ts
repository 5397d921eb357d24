import { hash as argon2 } from '@node-rs/argon2';
import { test } from 'tap';
import { passwordHashes } from '../../../src/infrastructure/accounts/passwords.js';

const PASSWORD = 'a lantern over the sea';

test('a password is hashed with argon2id at the parameters that OWASP names', async (t) => {
  const stored = await passwordHashes().hash(PASSWORD);
  t.match(stored, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
});

test('only the password itself is right, however its characters were typed', async (t) => {
  const { hash, verify } = passwordHashes();
  const stored = await hash('mot de passe: été');
  t.strictSame(await verify(stored, 'mot de passe: été'), { isRight: true, isOutdated: false });
  t.strictSame(await verify(stored, 'mot de passe: e\u0301te\u0301'), {
    isRight: true,
    isOutdated: false,
  });
  t.equal((await verify(stored, 'mot de passe: ete')).isRight, false);
});

test('a hash of other parameters is right and outdated', async (t) => {
  const old = await argon2(PASSWORD, { memoryCost: 8_192, timeCost: 1, parallelism: 1 });
  t.strictSame(await passwordHashes().verify(old, PASSWORD), { isRight: true, isOutdated: true });
});

test('nobody and what is no hash are wrong, at the cost of a hash', async (t) => {
  const { verify } = passwordHashes();
  const cpuOf = async (stored: string | undefined): Promise<number> => {
    const before = process.cpuUsage();
    t.equal((await verify(stored, PASSWORD)).isRight, false);
    const { user, system } = process.cpuUsage(before);
    return user + system;
  };
  // A hash costs about 10 ms of CPU; refusing without one less than a tenth of one.
  t.ok((await cpuOf(undefined)) > 2_000, 'nobody');
  t.ok((await cpuOf('$argon2id$broken')) > 2_000, 'no hash');
});

test('more hashes than may wait are refused', async (t) => {
  const { hash } = passwordHashes({ atOnce: 1, waiting: 1 });
  const [first, second, third] = await Promise.allSettled([
    hash(PASSWORD),
    hash(PASSWORD),
    hash(PASSWORD),
  ]);
  t.equal(first.status, 'fulfilled');
  t.equal(second.status, 'fulfilled');
  t.match(third, { status: 'rejected', reason: { code: 'overloaded' } });
});

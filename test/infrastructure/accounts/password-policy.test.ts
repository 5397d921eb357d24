import { test } from 'tap';
import { requireGoodPassword } from '../../../src/infrastructure/accounts/passwords.js';

const owner = { email: 'Ada.Lovelace@example.com', organizationId: 'analytical-x7k2pq' };

const WEAK: readonly (readonly [password: string, why: RegExp])[] = [
  ['short-1234!', /12 characters/],
  ['x1'.repeat(65), /128 characters at most/],
  ['password1234', /Too many people/],
  ['PASSWORD!!!!', /Too many people/],
  ['passwordpassword', /Too many people/],
  ['123qweasdzxc', /Too many people/],
  ['123456789012345', /Too many people/],
  ['aaaaaaaaaaaaaa', /Too many people/],
  ['nmlkjihgfedcba', /Too many people/],
  // Full-width letters are the same letters (NFKC).
  ['ｐａｓｓｗｏｒｄ１２３４', /Too many people/],
  ['ada.lovelace@example.com', /address or organization/],
  ['ada.lovelace1843', /address or organization/],
  ['Analytical-X7k2pq', /address or organization/],
];

test('a password that others can think of is refused, and the refusal says why', async (t) => {
  t.plan(WEAK.length);
  for (const [password, why] of WEAK)
    t.throws(
      () => {
        requireGoodPassword(password, owner);
      },
      { code: 'weak-password', message: why },
      password,
    );
});

test('any other text of 12 to 128 characters is a password', async (t) => {
  const good = [
    'a lantern over the sea',
    'correct-horse-7battery',
    'ß'.repeat(3) + 'xyzzy-plugh',
    '🦜🌊🪨🔥🌱🎲🧭⚓🪁🎻🥁🪕',
  ];
  t.plan(good.length);
  for (const password of good)
    t.doesNotThrow(() => {
      requireGoodPassword(password, owner);
    }, password);
});

import { test } from 'tap';
import { compileRegex } from '../../src/infrastructure/re2-regex-compiler.js';

const found = (pattern: string, text: string, ignoreCase = false): boolean =>
  compileRegex(pattern, { ignoreCase }).test(text);

test('a pattern is found anywhere, unless it says where', async (t) => {
  t.ok(found('min', 'the admins'));
  t.notOk(found('^min', 'the admins'));
  t.ok(found('ADMIN', 'the admins', true));
  t.ok(found('straße', 'STRAẞE', true));
  t.ok(found('\\pL+', 'ü'));
});

test('what takes other engines for ever is answered', async (t) => {
  t.notOk(found('(a+)+$', `${'a'.repeat(4_000)}b`));
  t.notOk(found('(x+x+)+y', 'x'.repeat(4_096)));
});

test('lookaround, back-references and broken patterns are refused, with their place', async (t) => {
  const rows: readonly (readonly [pattern: string, message: RegExp])[] = [
    ['ab(?=x)', /invalid or unsupported Perl syntax: `\(\?=` at character 3/],
    ['(a)\\1', /invalid escape sequence: `\\1` at character 4/],
    ['ab[z-a]', /invalid character class range: `z-a` at character 4/],
    ['(a', /missing closing \)/],
    ['a{2000}', /invalid repeat count/],
    ['a\\', /trailing backslash/],
  ];
  for (const [pattern, message] of rows)
    t.throws(() => compileRegex(pattern, { ignoreCase: false }), {
      code: 'invalid-regex',
      message,
    });
});

test('a pattern that would be slow for its size is refused', async (t) => {
  const refusal = { code: 'invalid-regex', message: /too large/ };
  t.throws(() => compileRegex('(.{0,500}b){1,2}', { ignoreCase: false }), refusal);
  t.ok(found('^[\\w.+-]{1,64}@[\\w.-]{1,255}$', 'ann@example.com'));
});

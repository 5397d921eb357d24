import { test } from 'tap';
import { parseJsonBody } from '../../src/api/http/json-body.js';
import { DomainError } from '../../src/domain/decider.js';

const codeOf = (text: string, exactness?: 'whole'): string => {
  try {
    parseJsonBody(text, exactness);
    return 'taken';
  } catch (error) {
    if (error instanceof DomainError) return error.code;
    throw error;
  }
};

const KEPT = [
  ...['0', '-0', '0.000000000000000000', '1e23', '5e-324', '2.50e1', '0.30000000000000004'],
  ...['0.10000000000000001', '9007199254740992', '-9007199254740992.0', '100000000000000000000'],
  ...['1.2345678901234568e+29', '{"a":": 9007199254740993"}', '["[9007199254740993"]'],
];

const CHANGED = [
  ...['9007199254740993', '-9007199254740993', '9007199254740993.0', '822106502566256600'],
  ...['123456789012345678901234567890', '[1,\n9007199254740993]'],
];

const CHANGED_FRACTIONS = ['0.1234567890123456789', '1e-400', '{"a":[1.23456789e-320]}'];

test('a number is kept as it was sent, or refused', async (t) => {
  for (const text of KEPT) t.equal(codeOf(text), 'taken', text);
  for (const text of [...CHANGED, ...CHANGED_FRACTIONS])
    t.equal(codeOf(text), 'inexact-number', text);
  t.equal(codeOf('1e400'), 'invalid-json');
});

test('fractions of a context are rounded, whole numbers are not', async (t) => {
  for (const text of CHANGED) t.equal(codeOf(text, 'whole'), 'inexact-number', text);
  for (const text of CHANGED_FRACTIONS) t.equal(codeOf(text, 'whole'), 'taken', text);
});

test('every whole number is kept or refused', async (t) => {
  t.plan(400);
  for (let exponent = 50; exponent < 70; exponent += 1)
    for (let offset = -10n; offset < 10n; offset += 1n) {
      const whole = 2n ** BigInt(exponent) + offset;
      const isHeld = BigInt(Number(whole)) === whole;
      t.equal(codeOf(`{"a":[${whole}]}`), isHeld ? 'taken' : 'inexact-number', String(whole));
    }
});

test('the refusal says where, what would be kept and what to send', async (t) => {
  t.throws(() => parseJsonBody('{"a":[1,{"b/c":822106502566256641}]}'), {
    message: /822106502566256641 at "\/a\/1\/b~1c" .* 822106502566256640.*"822106502566256641"/,
  });
});

test('no key is given twice', async (t) => {
  t.throws(() => parseJsonBody('{"a":1,"b":[{"c":1,"\\u0063":2}]}'), { message: /"\/b\/0\/c"/ });
  for (const text of ['{"a":{"a":1},"b":[{"a":1},{"a":2}]}', '{"a":":{","b":"a:1"}', '{"__a":{}}'])
    t.equal(codeOf(text), 'taken', text);
  t.equal(codeOf('{"__proto__":1}'), 'invalid-json');
});

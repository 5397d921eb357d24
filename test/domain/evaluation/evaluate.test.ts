import fc from 'fast-check';
import { test } from 'tap';
import { compile } from '../../../src/domain/evaluation/compile.js';
import { evaluate } from '../../../src/domain/evaluation/evaluate.js';
import { type Resolution, type Ruleset } from '../../../src/domain/evaluation/ruleset.js';
import {
  aContext as user,
  anEnvironment,
  compiled,
  compileRegex,
  resolve,
} from '../../support/evaluation.js';
import { property } from '../../support/property.js';
import { aRuleset, aSplit } from '../../support/rulesets.js';

/** Variant, value and reason: what the caller sees of a resolution. */
const served = (ruleset: Ruleset, context?: ReturnType<typeof user>): readonly unknown[] => {
  const { variant, value, reason } = resolve(ruleset, context);
  return [variant, value, reason];
};

const targets = [
  { variant: 'on', keys: ['anna', 'bert'] },
  { variant: 'off', keys: ['bert', 'carl'] },
];
const half = aSplit([
  ['on', 50_000],
  ['off', 50_000],
]);
const nearlyAll = aSplit([
  ['on', 99_999],
  ['off', 1],
]);

test('a flag without targets and split serves its variant as STATIC', async (t) => {
  t.strictSame(served(aRuleset('f')), ['on', true, 'STATIC']);
  t.equal(resolve(aRuleset('f')).flagRevision, 3);
  t.equal(resolve(aRuleset('f')).flagKey, 'f');
});

test('a fallthrough without variant serves no value', async (t) => {
  const ruleset = aRuleset('f', { configuration: { fallthrough: { variant: null } } });
  t.strictSame(served(ruleset), [undefined, undefined, 'DEFAULT']);
  t.notOk(Object.hasOwn(resolve(ruleset), 'value'));
});

test('a disabled flag serves its off variant, whatever else it has', async (t) => {
  const configuration = { enabled: false, targets, fallthrough: half };
  t.strictSame(served(aRuleset('f', { configuration })), ['off', false, 'DISABLED']);
});

test('an archived flag serves its off variant, whatever else it has', async (t) => {
  const ruleset = aRuleset('f', { isArchived: true, configuration: { targets } });
  t.strictSame(served(ruleset), ['off', false, 'DISABLED']);
});

test('a disabled flag without off variant serves no value', async (t) => {
  const ruleset = aRuleset('f', { configuration: { enabled: false, offVariant: null } });
  t.strictSame(served(ruleset), [undefined, undefined, 'DISABLED']);
});

test('an individual target comes before the fallthrough', async (t) => {
  const ruleset = aRuleset('f', { configuration: { targets, fallthrough: { variant: 'off' } } });
  t.strictSame(served(ruleset, user('anna')), ['on', true, 'TARGETING_MATCH']);
  t.strictSame(served(ruleset, user('carl')), ['off', false, 'TARGETING_MATCH']);
  t.strictSame(served(ruleset, user('dora')), ['off', false, 'DEFAULT']);
  t.strictSame(served(ruleset, user()), ['off', false, 'DEFAULT']);
});

test('a key in two target lists gets the first', async (t) => {
  const ruleset = aRuleset('f', { configuration: { targets } });
  t.strictSame(served(ruleset, user('bert')), ['on', true, 'TARGETING_MATCH']);
});

test('an individual target comes before a split', async (t) => {
  const ruleset = aRuleset('f', { configuration: { targets, fallthrough: nearlyAll } });
  t.strictSame(served(ruleset, user('carl')), ['off', false, 'TARGETING_MATCH']);
  t.strictSame(served(ruleset, user('dora')), ['on', true, 'SPLIT']);
});

test('a split without a unit to hash is skipped: no value, never bucket 0', async (t) => {
  const byTenant = aSplit(
    [
      ['on', 99_999],
      ['off', 1],
    ],
    { bucketBy: 'tenant' },
  );
  const ruleset = aRuleset('f', { configuration: { fallthrough: byTenant } });
  const nothing = [undefined, undefined, 'DEFAULT'];
  const units = [undefined, '', null, true, 1.5, Infinity, NaN, 2 ** 53, ['x'], { a: 1 }];
  t.plan(units.length + 1);
  for (const tenant of units) t.strictSame(served(ruleset, user('anna', { tenant })), nothing);
  t.strictSame(
    served(aRuleset('f', { configuration: { fallthrough: nearlyAll } }), user()),
    nothing,
  );
});

test('one variant with the whole weight needs no unit', async (t) => {
  const whole = aSplit(
    [
      ['off', 0],
      ['on', 100_000],
    ],
    { bucketBy: 'tenant' },
  );
  const plain = aRuleset('f', { configuration: { fallthrough: whole } });
  const targeted = aRuleset('f', { configuration: { fallthrough: whole, targets } });
  for (const context of [user(), user('dora'), user('dora', { tenant: 'acme' })])
    for (const ruleset of [plain, targeted])
      t.strictSame(served(ruleset, context), ['on', true, 'SPLIT']);
  t.not(compiled(plain).constant, undefined, 'decided when it was compiled');
  t.equal(compiled(targeted).split, undefined, 'nothing is hashed');
});

test('an integer and its decimal text are one unit', async (t) => {
  const byTenant = aSplit(
    [
      ['on', 50_000],
      ['off', 50_000],
    ],
    { bucketBy: 'tenant' },
  );
  const ruleset = aRuleset('f', { configuration: { fallthrough: byTenant } });
  property(t, [fc.maxSafeInteger()], (tenant) => {
    const [asNumber, asText] = [tenant, String(tenant)].map((value) =>
      resolve(ruleset, user('anna', { tenant: value })),
    );
    return asNumber?.reason === 'SPLIT' && asNumber.variant === asText?.variant;
  });
});

test('what objects inherit is no attribute', async (t) => {
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'length'];
  t.plan(names.length);
  for (const bucketBy of names) {
    const fallthrough = aSplit(
      [
        ['on', 99_999],
        ['off', 1],
      ],
      { bucketBy },
    );
    t.equal(resolve(aRuleset('f', { configuration: { fallthrough } })).reason, 'DEFAULT');
  }
});

test('targeting keys named like inherited members are only keys', async (t) => {
  const ruleset = aRuleset('f', {
    configuration: { targets: [{ variant: 'off', keys: ['__proto__'] }] },
  });
  t.equal(resolve(ruleset, user('__proto__')).reason, 'TARGETING_MATCH');
  t.equal(resolve(ruleset, user('constructor')).reason, 'DEFAULT');
});

test('the salt of a split comes before that of the flag', async (t) => {
  const salted = (salt?: string) =>
    aRuleset('f', {
      salt: 'flag',
      configuration: {
        fallthrough: aSplit(
          [
            ['on', 50_000],
            ['off', 50_000],
          ],
          salt === undefined ? {} : { salt },
        ),
      },
    });
  const own = aRuleset('f', { salt: 'own', configuration: { fallthrough: half } });
  const users = Array.from({ length: 64 }, (_, index) => user(`user-${index}`));
  const variants = (ruleset: Ruleset) => users.map((each) => resolve(ruleset, each).variant);
  t.strictSame(variants(salted('own')), variants(own));
  t.strictNotSame(variants(salted()), variants(own));
});

test('a variant that the flag does not have is an error of the flag, not of the caller', async (t) => {
  const ruleset = aRuleset('f', { configuration: { fallthrough: { variant: 'gone' } } });
  t.strictSame(served(ruleset), [undefined, undefined, 'ERROR']);
  t.equal(resolve(ruleset).errorCode, 'GENERAL');
});

test('shares that end before the bucket serve no value', async (t) => {
  const short = aSplit([['on', 0]]);
  const ruleset = aRuleset('f', { configuration: { fallthrough: short } });
  t.strictSame(served(ruleset), [undefined, undefined, 'DEFAULT']);
});

test('any context gets the same answer twice, and never an exception', async (t) => {
  const ruleset = aRuleset('f', {
    configuration: {
      targets,
      fallthrough: aSplit(
        [
          ['on', 50_000],
          ['off', 50_000],
        ],
        { bucketBy: 'a' },
      ),
    },
  });
  const [flag, environment] = [compiled(ruleset), anEnvironment([])];
  const context = fc.record({
    targetingKey: fc.option(fc.string({ unit: 'binary' }), { nil: undefined }),
    attributes: fc.dictionary(fc.constantFrom('a', 'b', '__proto__'), fc.anything()),
    nowMs: fc.integer(),
  });
  const answer = (anyone: ReturnType<typeof user>) => evaluate(flag, anyone, environment);
  property(t, [context], (anyone) => answer(anyone) === answer(anyone));
});

test('every resolution is made once and cannot be changed', async (t) => {
  let made = 0;
  const prepare = (resolution: Resolution) => {
    made += 1;
    return { resolution };
  };
  const ruleset = aRuleset('f', { configuration: { targets, fallthrough: half } });
  const flag = compile(ruleset, prepare, { compileRegex });
  const before = made;
  const answers = ['anna', 'carl', 'x', 'y', 'z'].map((key) =>
    evaluate(flag, user(key), anEnvironment([])),
  );
  t.equal(made, before);
  t.ok(answers.every(({ resolution }) => Object.isFrozen(resolution)));
});

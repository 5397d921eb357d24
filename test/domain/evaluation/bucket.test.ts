import fc from 'fast-check';
import { test } from 'tap';
import { bucketOf } from '../../../src/domain/evaluation/split.js';
import { hashPrefix, murmur3 } from '../../../src/domain/evaluation/murmur3.js';
import { MAX_SPLIT_TOTAL } from '../../../src/domain/flag/configuration.js';
import { evaluate } from '../../../src/domain/evaluation/evaluate.js';
import { aContext, anEnvironment, compiled } from '../../support/evaluation.js';
import { fixture } from '../../support/fixture.js';
import { property } from '../../support/property.js';
import { aRuleset, aSplit } from '../../support/rulesets.js';

type Golden = {
  salt: string;
  unit: string;
  weights: [string, number][];
  total: number;
  bucket: number;
  variant: string;
};

/** The variant of a split that a targeting key gets. */
const split = (weights: readonly (readonly [string, number])[], total: number, salt: string) => {
  const ruleset = aRuleset('f', {
    salt,
    variants: weights.map(([name]) => ({ name, value: true })),
    configuration: { fallthrough: aSplit(weights, { total }) },
  });
  const [flag, environment] = [compiled(ruleset), anEnvironment([])];
  return (targetingKey: string): string | undefined =>
    evaluate(flag, aContext(targetingKey), environment).resolution.variant;
};

test('every golden split puts its user where the reference arithmetic does', async (t) => {
  const vectors = fixture<Golden[]>('evaluation/splits.json');
  t.plan(vectors.length * 2);
  for (const { salt, unit, weights, total, bucket, variant } of vectors) {
    t.equal(bucketOf(murmur3(unit, hashPrefix(salt)), total), bucket, `${salt}${unit}: bucket`);
    t.equal(split(weights, total, salt)(unit), variant, `${salt}${unit}: variant`);
  }
});

test('buckets are exact for every hash and every total that is allowed', async (t) => {
  const hash = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  const total = fc.integer({ min: 1, max: MAX_SPLIT_TOTAL });
  property(t, [hash, total], (h, n) => bucketOf(h, n) === Number((BigInt(h) * BigInt(n)) >> 32n));
  t.equal(bucketOf(2 ** 32 - 1, MAX_SPLIT_TOTAL), MAX_SPLIT_TOTAL - 1, 'the last bucket');
  t.equal(bucketOf(0, MAX_SPLIT_TOTAL), 0, 'the first bucket');
});

test('the same user gets the same variant of the same flag', async (t) => {
  const share = fc.integer({ min: 0, max: 100_000 });
  property(t, [fc.string({ minLength: 1 }), fc.string(), share], (key, salt, weight) => {
    const weights = [['on', weight] as const, ['off', 100_000 - weight] as const];
    return split(weights, 100_000, salt)(key) === split(weights, 100_000, salt)(key);
  });
});

test('growing a share keeps everyone who had it', async (t) => {
  const share = fc.integer({ min: 0, max: 100_000 });
  property(t, [fc.string({ minLength: 1 }), share, share], (key, one, other) => {
    const variantAt = (weight: number) =>
      split(
        [
          ['on', weight],
          ['off', 100_000 - weight],
        ],
        100_000,
        'salt',
      )(key);
    const [less, more] = [Math.min(one, other), Math.max(one, other)];
    return variantAt(less) !== 'on' || variantAt(more) === 'on';
  });
});

test('shares are served in proportion, and independently from flag to flag', async (t) => {
  const users = Array.from({ length: 100_000 }, (_, index) => `user-${index}`);
  const weights = [
    ['a', 10_000],
    ['b', 30_000],
    ['c', 60_000],
  ] as const;
  const [first, second] = ['checkout', 'banner'].map((salt) => split(weights, 100_000, salt));
  const count = (isCounted: (user: string) => boolean): number => users.filter(isCounted).length;
  // Four standard deviations of a binomial distribution; the users are fixed, so this never flickers.
  const near = (seen: number, share: number, what: string): void => {
    const tolerance = 4 * Math.sqrt(users.length * share * (1 - share));
    t.ok(Math.abs(seen - users.length * share) < tolerance, `${what}: ${seen}`);
  };
  for (const [name, weight] of weights)
    near(
      count((user) => first?.(user) === name),
      weight / 100_000,
      name,
    );
  near(
    count((user) => first?.(user) === 'c' && second?.(user) === 'c'),
    0.36,
    'c in both',
  );
});

import fc from 'fast-check';
import { type Context } from '../../src/domain/evaluation/context.js';
import { type Ruleset, type SegmentDefinition } from '../../src/domain/evaluation/ruleset.js';
import { type Rule, type Serve } from '../../src/domain/flag/configuration.js';
import { type SegmentRule } from '../../src/domain/segment.js';
import {
  type AttributeClause,
  type Clause,
  type SegmentClause,
} from '../../src/domain/targeting/clause.js';
import { aSegment } from './evaluation.js';
import { type World } from './reference-evaluator.js';
import { aRuleset, aSplit } from './rulesets.js';

// Few names and values, so that what is asked often meets what there is.

const USERS = ['anna', 'bert', 'carl'];
const PATHS = ['plan', 'roles', 'company.size', 'targetingKey', '$now', 'missing'];
const SCALARS = fc.constantFrom<string | number | boolean>('pro', 'p', '1.2', '2', 2, 10, 0, true);
const ANYTHING = fc.oneof(
  SCALARS,
  fc.constantFrom(null, '', 'free', {}, false),
  fc.array(fc.oneof(SCALARS, fc.constant(null)), { maxLength: 3 }),
);

const texts = fc.constantFrom('pro', 'p', 'r', '2');
const valuesOf = {
  in: SCALARS,
  contains: texts,
  startsWith: texts,
  matches: fc.constantFrom('^p', 'o$', '\\d', 'r|x'),
  numberEquals: fc.constantFrom(2, 10, 1.2),
  lessThan: fc.constantFrom(2, 10),
  semverGreaterThanOrEqual: fc.constantFrom('1.2', '2', '0.9.1'),
  allOf: SCALARS,
  noneOf: SCALARS,
  sizeEquals: fc.constantFrom(0, 1, 2),
} as const;

const negate = fc.option(fc.constant<true>(true), { nil: undefined });
const negated = <Asked extends object>([clause, isNegated]: [Asked, true | undefined]) =>
  isNegated === undefined ? clause : { ...clause, negate: isNegated };

const operators = Object.keys(valuesOf) as (keyof typeof valuesOf)[];

const comparison: fc.Arbitrary<AttributeClause> = fc.constantFrom(...operators).chain((operator) =>
  fc.record({
    attribute: fc.constantFrom(...PATHS),
    operator: fc.constant(operator),
    values: fc.array(valuesOf[operator] as fc.Arbitrary<string | number | boolean>, {
      minLength: 1,
      maxLength: operator === 'lessThan' || operator === 'semverGreaterThanOrEqual' ? 1 : 3,
    }),
  }),
);

const presence: fc.Arbitrary<AttributeClause> = fc.record({
  attribute: fc.constantFrom(...PATHS),
  operator: fc.constantFrom<'exists' | 'notExists'>('exists', 'notExists'),
  values: fc.constant([]),
});

const attributeClause: fc.Arbitrary<AttributeClause> = fc
  .tuple(fc.oneof({ weight: 9, arbitrary: comparison }, presence), negate)
  .map(negated);

const segmentClause = (keys: readonly string[]): fc.Arbitrary<SegmentClause> =>
  fc
    .tuple(
      fc.record({ segments: fc.array(fc.constantFrom(...keys), { minLength: 1, maxLength: 2 }) }),
      negate,
    )
    .map(negated);

const clauseOn = (segments: readonly string[]): fc.Arbitrary<Clause> => {
  const simple = fc.oneof({ weight: 3, arbitrary: attributeClause }, segmentClause(segments));
  const group = fc.record({ anyOf: fc.array(simple, { minLength: 1, maxLength: 3 }) });
  return fc.oneof<fc.Arbitrary<Clause>[]>(simple, simple, group);
};

const ruleOn = (segments: readonly string[]): fc.Arbitrary<SegmentRule> =>
  fc.record({
    id: fc.constantFrom('r1', 'r2', 'r3'),
    description: fc.constant(''),
    clauses: fc.array(clauseOn(segments), { minLength: 1, maxLength: 2 }),
  });

const keys = fc.uniqueArray(fc.constantFrom(...USERS), { maxLength: 2 });

/** s0 may refer to s1 and s2, s1 to s2, and all to one that is not there. */
const segments: fc.Arbitrary<readonly SegmentDefinition[]> = fc.tuple(
  ...[['s1', 's2', 'gone'], ['s2', 'gone'], ['gone']].map((others, index) =>
    fc
      .record({
        included: keys,
        excluded: keys,
        rules: fc.array(ruleOn(others), { maxLength: 2 }),
      })
      .map((content) => aSegment(`s${index}`, content)),
  ),
);

const variant: fc.Arbitrary<Serve> = fc.record({
  variant: fc.constantFrom('on', 'off', null),
});
const split: fc.Arbitrary<Serve> = fc
  .tuple(fc.integer({ min: 0, max: 100_000 }), fc.constantFrom('targetingKey', 'plan', 'missing'))
  .map(([weight, bucketBy]) =>
    aSplit(
      [
        ['on', weight],
        ['off', 100_000 - weight],
      ],
      { bucketBy },
    ),
  );

const SEGMENTS = ['s0', 's1', 's2', 'gone'];

/** Asks one attribute for texts, and perhaps something else. */
const ruleInRow: fc.Arbitrary<SegmentRule> = fc
  .tuple(ruleOn(SEGMENTS), fc.array(texts, { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([rule, values, isAlone]) => {
    const clause: Clause = { attribute: 'plan', operator: 'in', values };
    return { ...rule, clauses: isAlone ? [clause] : [...rule.clauses, clause] };
  });

/** Few rules of any kind, or a row of like ones among others. */
const rules = (serve: fc.Arbitrary<Rule['serve']>): fc.Arbitrary<readonly Rule[]> => {
  const served = (rule: fc.Arbitrary<SegmentRule>, maxLength: number) =>
    fc.array(
      fc.tuple(rule, serve).map(([plain, one]) => ({ ...plain, serve: one })),
      { maxLength },
    );
  const row = fc
    .tuple(served(ruleOn(SEGMENTS), 1), served(ruleInRow, 7), served(ruleOn(SEGMENTS), 1))
    .map((parts) => parts.flat());
  return fc.oneof(served(ruleOn(SEGMENTS), 3), row);
};

const prerequisitesOn = (flags: readonly string[]) =>
  fc.array(
    fc.record({
      flagKey: fc.constantFrom(...flags),
      variants: fc.constantFrom(['on'], ['off'], ['on', 'off']),
    }),
    { maxLength: 2 },
  );

const flagOn = (
  key: string,
  others: readonly string[],
  serve: fc.Arbitrary<Serve>,
  ruleServe: fc.Arbitrary<Rule['serve']>,
): fc.Arbitrary<Ruleset> =>
  fc
    .record({
      enabled: fc.constantFrom(true, true, true, false),
      fallthrough: serve,
      targets: fc.array(fc.record({ variant: fc.constantFrom('on', 'off'), keys }), {
        maxLength: 1,
      }),
      rules: rules(ruleServe),
      prerequisites: prerequisitesOn(others),
    })
    .map((configuration) => aRuleset(key, { configuration }));

/** f0 may need f1 and f2, f1 needs f2 perhaps, and all one that is not there. */
const worldOf = (
  serve: fc.Arbitrary<Serve>,
  ruleServe: fc.Arbitrary<Rule['serve']>,
): fc.Arbitrary<World> =>
  fc.record({
    rulesets: fc.tuple(
      flagOn('f0', ['f1', 'f2', 'f1', 'f2', 'gone'], serve, ruleServe),
      flagOn('f1', ['f2', 'f2', 'gone'], serve, ruleServe),
      flagOn('f2', ['gone'], serve, ruleServe),
    ),
    segments,
  });

/** Serving variants only. */
export const plainWorld = worldOf(variant, variant);

const logic: fc.Arbitrary<Rule['serve']> = fc.record({
  logic: fc.constantFrom({ var: 'plan' }, 'on', null, { if: [{ var: 'plan' }, 'off', null] }),
});

/** Serving splits and expressions too. */
export const anyWorld = worldOf(fc.oneof(variant, split), fc.oneof(variant, split, logic));

export const anyContext: fc.Arbitrary<Context> = fc.record({
  targetingKey: fc.option(fc.constantFrom(...USERS), { nil: undefined }),
  nowMs: fc.constantFrom(0, 2, 1_772_366_400_000),
  attributes: fc.record(
    { plan: ANYTHING, roles: ANYTHING, company: fc.oneof(fc.record({ size: ANYTHING }), ANYTHING) },
    { requiredKeys: [] },
  ),
});

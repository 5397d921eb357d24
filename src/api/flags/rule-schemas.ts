import { type Static, Type } from '@sinclair/typebox';
import { MAX_RULES, type RulePlace } from '../../commands/rule-list.js';
import { type JsonObject } from '../../domain/json.js';
import { type Clause, OPERATORS, type SimpleClause } from '../../domain/targeting/clause.js';
import { CLAUSE_LIMITS, VALUE_LIMITS } from '../../domain/targeting/valid-clauses.js';
import { closed, Description, Key } from '../http/schemas.js';
import { FallthroughBody } from './schemas.js';

const Negate = Type.Optional(
  Type.Boolean({ description: 'Swaps true and false; unknown stays unknown.' }),
);

const AttributeClause = Type.Object(
  {
    attribute: Type.String({
      minLength: 1,
      maxLength: CLAUSE_LIMITS.path,
      description: 'Names joined by dots, or "targetingKey"; "$now".',
    }),
    operator: Type.Unsafe<(typeof OPERATORS)[number]>(
      Type.String({ enum: [...OPERATORS], description: 'docs/targeting.md.' }),
    ),
    values: Type.Optional(
      Type.Array(Type.Union([Type.String(), Type.Number(), Type.Boolean()]), {
        maxItems: VALUE_LIMITS.values,
        description: 'Alternatives; none for exists and notExists.',
      }),
    ),
    negate: Negate,
    ignoreCase: Type.Optional(Type.Boolean({ description: 'Of operators that compare text.' })),
  },
  closed,
);

const SegmentClause = Type.Object(
  {
    segments: Type.Array(Key, { minItems: 1, maxItems: CLAUSE_LIMITS.segments }),
    negate: Negate,
  },
  closed,
);

const Simple = Type.Union([AttributeClause, SegmentClause]);

const AnyOf = Type.Object(
  { anyOf: Type.Array(Simple, { minItems: 1, maxItems: CLAUSE_LIMITS.clauses }) },
  { ...closed, description: 'One of them must be true.' },
);

const Clause = Type.Union([AttributeClause, SegmentClause, AnyOf]);
const MANY = { maxItems: CLAUSE_LIMITS.clauses, description: 'All must be true.' } as const;
const Clauses = Type.Array(Clause, { ...MANY, minItems: 1 });

/** For a change: only the command knows which rule it is, and so whether it may have none. */
const RuleClauses = Type.Array(Clause, {
  ...MANY,
  description: 'All must be true; none only in a rule that serves `logic`.',
});

/** Only a rule that serves `logic` may be without clauses. */
const clausesUnlessLogic = {
  if: {
    properties: { serve: { properties: { logic: {} }, required: ['logic'] } },
    required: ['serve'],
  },
  else: { properties: { clauses: { minItems: 1 } } },
} as const;

const RuleServe = Type.Union([
  ...FallthroughBody.anyOf,
  Type.Object(
    {
      logic: Type.Unsafe<JsonObject>(
        Type.Record(Type.String(), Type.Unknown(), {
          description: "JSONLogic in flagd's dialect that names the variant: docs/flagd.md.",
        }),
      ),
    },
    closed,
  ),
]);

type Asked = Static<typeof Clauses>;

const simpleClause = ({ negate, ...clause }: Static<typeof Simple>): SimpleClause => {
  const flipped = negate === true ? { negate } : {};
  if ('segments' in clause) return { ...clause, ...flipped };
  const { ignoreCase, values = [], ...asked } = clause;
  return { ...asked, values, ...flipped, ...(ignoreCase === true && { ignoreCase }) };
};

/** As they are stored: a modifier that is false is left out. */
const clausesIn = (clauses: Asked): readonly Clause[] =>
  clauses.map((clause) =>
    'anyOf' in clause ? { anyOf: clause.anyOf.map(simpleClause) } : simpleClause(clause),
  );

const description = Type.Optional(Description);
const id = Type.Optional(Key);

export const RuleParams = Type.Object({
  project: Key,
  flag: Key,
  environment: Key,
  rule: Key,
});

export const SegmentRuleBody = Type.Object({ id, description, clauses: Clauses }, closed);
export const RuleBody = Type.Object(
  { id, description, clauses: RuleClauses, serve: RuleServe },
  { ...closed, ...clausesUnlessLogic },
);

export const SegmentRuleChange = Type.Object(
  { description, clauses: Type.Optional(Clauses) },
  { ...closed, minProperties: 1 },
);
export const RuleChange = Type.Object(
  { description, clauses: Type.Optional(RuleClauses), serve: Type.Optional(RuleServe) },
  { ...closed, minProperties: 1 },
);

/** Where a rule goes; at most one of them. */
export const placeProperties = {
  before: Type.Optional(Key),
  position: Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_RULES, description: 'From 0.' })),
};

export const PlaceBody = Type.Object(placeProperties, { ...closed, maxProperties: 1 });

export const RulesBody = Type.Object(
  { rules: Type.Array(RuleBody, { maxItems: MAX_RULES }) },
  closed,
);
export const SegmentRules = Type.Array(SegmentRuleBody, { maxItems: MAX_RULES });

/** A new rule, with where it goes. */
export const AddedRule = Type.Object(
  { ...RuleBody.properties, ...placeProperties },
  { ...closed, ...clausesUnlessLogic },
);
export const AddedSegmentRule = Type.Object(
  { ...SegmentRuleBody.properties, ...placeProperties },
  closed,
);

/** A rule or a change of one, with its clauses as they are stored. */
export const ruleIn = <R extends Readonly<{ clauses?: Asked }>>({ clauses, ...rule }: R) => ({
  ...rule,
  ...(clauses !== undefined && { clauses: clausesIn(clauses) }),
});

/** Rules of a list, with their clauses as they are stored. */
export const rulesIn = <R extends Readonly<{ clauses: Asked }>>(rules: readonly R[]) =>
  rules.map(({ clauses, ...rule }) => ({ ...rule, clauses: clausesIn(clauses) }));

/** Takes a body apart into the rule, with its clauses as they are stored, and where it goes. */
export const placed = <R extends RulePlace & Readonly<{ clauses: Asked }>>({
  before,
  position,
  clauses,
  ...rule
}: R) => ({
  rule: { ...rule, clauses: clausesIn(clauses) },
  place: {
    ...(before !== undefined && { before }),
    ...(position !== undefined && { position }),
  },
});

import { Type } from '@sinclair/typebox';
import { REASONS } from '../../domain/evaluation/ruleset.js';
import { closed, Key, Position, positionAsked, problems, Revision } from '../http/schemas.js';

const oneOf = <Text extends string>(texts: readonly Text[]) =>
  Type.Union(texts.map((text) => Type.Literal(text)));

const Outcome = oneOf(['true', 'false', 'unknown']);

const Clause = Type.Object(
  { outcome: Outcome },
  {
    additionalProperties: true,
    description:
      'The clause as it is configured, with the value of its attribute and, when unknown, why; of a clause on ' +
      'segments how each came to be, of a group each of its clauses.',
  },
);

const Split = Type.Object({
  algorithm: Type.String(),
  bucketBy: Type.String(),
  salt: Type.String(),
  weights: Type.Array(Type.Object({ variant: Type.String(), weight: Type.Integer() })),
  total: Type.Integer(),
  unit: Type.Optional(
    Type.String({ description: 'What was hashed behind the salt; absent: there was nothing.' }),
  ),
  hash: Type.Optional(Type.Integer({ description: 'Unsigned, 32 bits.' })),
  bucket: Type.Optional(Type.Integer({ description: 'floor(hash × total / 2^32).' })),
  variant: Type.Optional(Type.String()),
});

const Rule = Type.Object({
  ruleId: Type.String(),
  description: Type.String(),
  outcome: Outcome,
  clauses: Type.Array(Clause),
  split: Type.Optional(Split),
  chose: Type.Optional(
    Type.Union([Type.String(), Type.Null()], {
      description: 'The variant that its expression chose; null: none. Absent: it failed.',
    }),
  ),
  isSkipped: Type.Optional(
    Type.Literal(true, { description: 'The rule matches but serves nothing.' }),
  ),
});

const Prerequisite = Type.Object({
  flagKey: Type.String(),
  variants: Type.Array(Type.String()),
  reason: Type.Optional(oneOf(REASONS)),
  served: Type.Union([Type.String(), Type.Null()]),
  isMet: Type.Boolean(),
});

const Unknown = Type.Object({
  place: Type.String({ description: 'Such as rules[0].clauses[1].' }),
  name: Type.String({ description: 'Of the attribute, or of the segment.' }),
  why: Type.String(),
});

/** The way through the flag, up to the step that decided. docs/targeting.md tells how to read it. */
const Explanation = Type.Object({
  decidedBy: oneOf([
    'disabled',
    'archived',
    'prerequisites',
    'target',
    'rule',
    'fallthrough',
    'cost',
  ]),
  now: Type.String({ description: 'The instant of the evaluation, RFC 3339.' }),
  prerequisites: Type.Array(Prerequisite),
  target: Type.Optional(Type.String({ description: 'The targeting key, when it decided.' })),
  rules: Type.Array(Rule),
  split: Type.Optional(Split),
  unknowns: Type.Array(Unknown),
});

/** A targeting key longer than this is no key. Characters. */
const LONGEST_KEY = 4_096;

const TargetingKey = Type.Optional(
  Type.String({
    maxLength: LONGEST_KEY,
    description: 'Identifies the user, session or machine; individual targets and splits use it.',
  }),
);

const Moment = {
  at: Type.Optional(
    Type.String({ maxLength: 64, description: 'RFC 3339: evaluate as it was at this time.' }),
  ),
  position: Type.Optional(positionAsked(-1, 'Evaluate as it was at this log position.')),
};

const Reason = Type.Union(REASONS.map((reason) => Type.Literal(reason)));

const resolution = {
  value: Type.Optional(
    Type.Unknown({ description: 'Absent: the application serves its own default.' }),
  ),
  variant: Type.Optional(Type.String()),
  reason: Reason,
  ruleId: Type.Optional(Type.String({ description: 'The rule that decided.' })),
  errorCode: Type.Optional(Type.Union([Type.Literal('FLAG_NOT_FOUND'), Type.Literal('GENERAL')])),
};

export const EnvironmentParams = Type.Object({ project: Key, environment: Key });
export const FlagParams = Type.Object({
  project: Key,
  environment: Key,
  flag: Type.String({ description: 'An unknown key is answered with FLAG_NOT_FOUND.' }),
});

export const MinPosition = Type.Object({
  'x-min-position': Type.Optional(
    positionAsked(-1, 'Wait, for a short time, until this log position is reached.'),
  ),
});

const Explain = {
  explain: Type.Optional(
    Type.Boolean({ description: 'Include the steps that led to the result.' }),
  ),
};

const flatContext = {
  additionalProperties: Type.Union([Type.String(), Type.Array(Type.String())]),
  description: 'Every other parameter is an attribute: a string, or when repeated a list of them.',
};

export const FlatContext = Type.Object({ targetingKey: TargetingKey, ...Moment }, flatContext);
export const ExplainedFlatContext = Type.Object(
  { targetingKey: TargetingKey, ...Moment, ...Explain },
  flatContext,
);

export const MomentQuery = Type.Object(Moment, closed);
export const ExplainedMomentQuery = Type.Object({ ...Moment, ...Explain }, closed);

export const ContextBody = Type.Object(
  { context: Type.Object({ targetingKey: TargetingKey }, { additionalProperties: true }) },
  closed,
);

export const FlagAnswer = {
  200: Type.Object({
    flagKey: Type.String(),
    ...resolution,
    flagRevision: Type.Optional(Revision),
    position: Position,
    explanation: Type.Optional(Explanation),
  }),
  ...problems,
};

export const AllFlagsAnswer = {
  200: Type.Object({
    flags: Type.Record(Type.String(), Type.Object({ ...resolution, flagRevision: Revision })),
    position: Position,
  }),
  ...problems,
};

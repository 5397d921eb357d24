import { Type } from '@sinclair/typebox';
import { REASONS } from '../../domain/evaluation/resolution.js';
import { Explanation } from './explanation-schema.js';
import { closed, Key, Position, positionAsked, problems, Revision } from '../schemas.js';

/** A targeting key longer than this is no key. Characters. */
const LONGEST_KEY = 4_096;

const TargetingKey = Type.Optional(
  Type.String({
    maxLength: LONGEST_KEY,
    description: 'Identifies whom flags are evaluated for: individual targets and splits use it.',
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
  flag: Type.String({ description: 'A key that no flag has gets FLAG_NOT_FOUND.' }),
});

export const MinPosition = Type.Object({
  'x-min-position': Type.Optional(
    positionAsked(-1, 'Wait, for a short time, until this log position is reached.'),
  ),
});

const Explain = {
  explain: Type.Optional(
    Type.Boolean({ description: 'Answer with how it came to be, step by step, as well.' }),
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

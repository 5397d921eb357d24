import { Type } from '@sinclair/typebox';
import { REASONS } from '../../domain/evaluation/resolution.js';

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
    Type.Literal(true, { description: 'It matches and has nothing to serve.' }),
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
export const Explanation = Type.Object({
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

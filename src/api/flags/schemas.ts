import { Type } from '@sinclair/typebox';
import { MAX_TARGETS } from '../../commands/flag/targets.js';
import { type JsonObject } from '../../domain/json.js';
import {
  closed,
  Description,
  Key,
  Name,
  ExactPosition,
  Revision,
  VariantName,
} from '../http/schemas.js';

export const FlagParams = Type.Object({ project: Key, flag: Key });
export const ConfigurationParams = Type.Object({ project: Key, flag: Key, environment: Key });

export const FlagTypeName = Type.Union([
  Type.Literal('boolean'),
  Type.Literal('string'),
  Type.Literal('number'),
  Type.Literal('object'),
]);

const VariantValue = Type.Union([
  Type.Boolean(),
  Type.String({ maxLength: 100_000 }),
  Type.Number(),
  Type.Unsafe<JsonObject>(Type.Record(Type.String(), Type.Unknown())),
]);

export const Variant = Type.Object(
  { name: VariantName, value: VariantValue, description: Type.Optional(Description) },
  closed,
);

export const Variants = Type.Array(Variant, { minItems: 1, maxItems: 100 });

export const Tags = Type.Array(Type.String({ pattern: '^[^\\s,]{1,60}$' }), { maxItems: 50 });

export const NewFlag = Type.Object(
  {
    key: Key,
    type: FlagTypeName,
    name: Type.Optional(Name),
    description: Type.Optional(Description),
    tags: Type.Optional(Tags),
    variants: Type.Optional(Variants),
    defaultVariant: Type.Optional(VariantName),
    offVariant: Type.Optional(Type.Union([VariantName, Type.Null()])),
    salt: Type.Optional(Type.String({ maxLength: 100 })),
  },
  closed,
);

const Metadata = Type.Record(
  Type.String({ minLength: 1, maxLength: 100 }),
  Type.Union([Type.String({ maxLength: 1000 }), Type.Number(), Type.Boolean()]),
  {
    maxProperties: 50,
    description: 'Handed to applications with every answer; {} removes it.',
  },
);

export const FlagDetails = Type.Object(
  {
    name: Type.Optional(Name),
    description: Type.Optional(Description),
    tags: Type.Optional(Tags),
    metadata: Type.Optional(Metadata),
  },
  closed,
);

/** A past moment of one flag or segment, at most one of them. */
export const momentProperties = {
  revision: Type.Optional(Revision),
  position: Type.Optional(ExactPosition),
  at: Type.Optional(Type.String({ maxLength: 64, description: 'RFC 3339.' })),
};

export const MomentBody = Type.Object(momentProperties, { ...closed, maxProperties: 1 });

const BucketBy = Type.String({ minLength: 1, maxLength: 200 });

export const FallthroughBody = Type.Union([
  Type.Object({ variant: Type.Union([VariantName, Type.Null()]) }, closed),
  Type.Object(
    {
      split: Type.Array(
        Type.Object(
          { variant: VariantName, percent: Type.Number({ minimum: 0, maximum: 100 }) },
          closed,
        ),
        { minItems: 1, maxItems: 100 },
      ),
      bucketBy: Type.Optional(BucketBy),
      salt: Type.Optional(Type.String({ maxLength: 100 })),
    },
    closed,
  ),
]);

export const RolloutBody = Type.Object(
  {
    percentage: Type.Number({ minimum: 0, maximum: 100 }),
    bucketBy: Type.Optional(BucketBy),
  },
  closed,
);

/** Body limit of routes that take targets: as many as an environment may have. */
export const TARGETS_BODY_LIMIT = 4 * 1024 * 1024;

export const TargetingKeys = Type.Array(Type.String({ minLength: 1, maxLength: 256 }), {
  maxItems: MAX_TARGETS,
});

export const TargetsBody = Type.Object(
  {
    targets: Type.Array(Type.Object({ variant: VariantName, keys: TargetingKeys }, closed), {
      maxItems: 100,
    }),
  },
  closed,
);

import { type TSchema, Type } from '@sinclair/typebox';
import { FlagTypeName } from '../flags/schemas.js';
import { Change, Position, Revision, Timestamp } from './schemas.js';

export const nullable = <Schema extends TSchema>(schema: Schema) =>
  Type.Union([schema, Type.Null()]);

const Text = nullable(Type.String());

export const provenance = {
  eventId: Type.String(),
  type: Type.String({ description: 'Of the event; docs/events.md.' }),
  revision: Revision,
  position: Position,
  recordedAt: Timestamp,
  actor: Type.Object({ id: Type.String(), type: Type.String(), authMethod: Type.String() }),
  ip: Text,
  userAgent: Text,
  reason: Text,
  commandId: Type.String(),
  requestId: Type.String(),
  correlationId: Type.String(),
  causationId: Type.String(),
};

/** Who did it, with a name for people to read. */
export const named = {
  ...provenance,
  actor: Type.Object({
    ...provenance.actor.properties,
    name: nullable(
      Type.String({
        description:
          "A member's e-mail address (with the permission members.read) or a key's name.",
      }),
    ),
  }),
};

const { eventId, type, revision, position, recordedAt, ...who } = provenance;

/** The last change. Who made it, from where and why is only there for callers who may read the audit log. */
export const LastChange = Type.Composite([
  Type.Object({ eventId, type, revision, position, recordedAt }),
  Type.Partial(Type.Object(who)),
]);

export const Data = Type.Unsafe<object>(
  Type.Object({}, { additionalProperties: true, description: 'What the event says.' }),
);

export const Environment = Type.Object({
  key: Type.String(),
  name: Type.String(),
  description: Type.String(),
  color: Type.String(),
  isProduction: Type.Boolean(),
  isProtected: Type.Optional(Type.Boolean({ description: 'Absent: it is not, and never was.' })),
  allowedOrigins: Type.Optional(
    Type.Union([Type.Array(Type.String()), Type.Null()], {
      description: 'Absent or null: those of the installation.',
    }),
  ),
  status: Type.String({ description: 'active or deleted.' }),
});

export const projectProperties = {
  key: Type.String(),
  name: Type.String(),
  description: Type.String(),
  status: Type.String({ description: 'active or deleted.' }),
  environments: Type.Array(Environment),
  revision: Revision,
  createdAt: Timestamp,
  updatedAt: Timestamp,
  lastChange: LastChange,
};

const FlagVariant = Type.Object({
  name: Type.String(),
  value: Type.Unknown(),
  description: Type.Optional(Type.String()),
});

export const Configuration = Type.Object({
  enabled: Type.Boolean(),
  offVariant: Text,
  fallthrough: Type.Unknown({
    description: '{"variant": …}, or {"split": {weights, total, bucketBy, algorithm, salt?}}.',
  }),
  targets: Type.Array(Type.Object({ variant: Type.String(), keys: Type.Array(Type.String()) })),
  rules: Type.Optional(
    Type.Array(Type.Unknown(), { description: '{"id", "description", "clauses", "serve"}.' }),
  ),
  prerequisites: Type.Optional(
    Type.Array(Type.Object({ flagKey: Type.String(), variants: Type.Array(Type.String()) })),
  ),
});

/** What a segment is in every answer. */
export const segmentContent = {
  key: Type.String(),
  name: Type.String(),
  description: Type.String(),
  status: Type.String({ description: 'active or deleted.' }),
  tags: Type.Array(Type.String()),
  included: Type.Array(Type.String()),
  excluded: Type.Array(Type.String()),
  rules: Type.Array(Type.Unknown({ description: '{"id", "description", "clauses"}.' })),
};

export const FlagStatus = Type.String({ description: 'active, archived or deleted.' });

/** What a flag is in every answer. */
export const flagIdentity = {
  key: Type.String(),
  name: Type.String(),
  type: FlagTypeName,
  status: FlagStatus,
};

export const flagContent = {
  ...flagIdentity,
  description: Type.String(),
  tags: Type.Array(Type.String()),
  metadata: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  variants: Type.Array(FlagVariant),
  salt: Type.String(),
  defaults: Configuration,
  environments: Type.Record(Type.String(), Configuration, {
    description: 'Only those with a configuration of their own; the defaults hold for the others.',
  }),
};

/** A flag as it was in one environment. */
export const environmentFlag = {
  ...flagIdentity,
  variants: Type.Array(FlagVariant),
  salt: Type.String(),
  configuration: Configuration,
  hasOwnConfiguration: Type.Boolean(),
  revision: Revision,
  position: Position,
  updatedAt: Timestamp,
};

export const Changes = Type.Array(Change);

/** A page of a list. */
export const pageOf = <Item extends TSchema>(item: Item) =>
  Type.Object({ items: Type.Array(item), nextCursor: Text, position: Position });

/**
 * The schema with the type that the query's answer has: theirs are read-only all the way down, which TypeBox's
 * are not. That nothing is lost on the way out is for the tests to show.
 */
export const answering = <Answer>(schema: TSchema) => Type.Unsafe<Answer>(schema);

import { type Static, type TObject, type TSchema, Type } from '@sinclair/typebox';
import { type Position as LogPosition } from '../../domain/position.js';
import { KEY_PATTERN } from '../../domain/streams.js';

/** Closed objects: what is not declared is refused, never dropped. */
export const closed = { additionalProperties: false } as const;

export const Key = Type.String({ pattern: KEY_PATTERN, description: 'Never changes.' });
/** No control characters and line breaks, and nothing that turns the direction of what follows (Unicode TR 36, 2.6). */
export const Name = Type.String({
  minLength: 1,
  maxLength: 255,
  pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028-\\u202e\\u2066-\\u2069]+$',
});
export const Description = Type.String({ maxLength: 4000 });
export const VariantName = Type.String({
  minLength: 1,
  maxLength: 100,
  pattern: '^[^\\u0000-\\u001f\\u007f]+$',
});
export const Revision = Type.Integer({
  minimum: 0,
  description: 'Place in its own stream, from 0.',
});
/** A place in the whole log. Answers have all its digits; JSON readers with doubles alone do not see them beyond 2^53. */
export const Position = Type.Unsafe<LogPosition>(
  Type.Integer({ minimum: -1, format: 'int64', description: 'Position in the log.' }),
);
export type Position = LogPosition;

/** Asked for: read exactly (build-app.ts). */
export const positionAsked = (minimum: 0 | -1, description: string) =>
  Type.Unsafe<Position>(Type.Integer({ minimum, format: 'int64', description }));

/** In what is signed or a choice of several: JSON that every reader reads right. */
export const ExactPosition = Type.Union([
  Type.Integer({ minimum: -1, maximum: Number.MAX_SAFE_INTEGER, format: 'int64' }),
  Type.String({ pattern: '^[1-9][0-9]{15,18}$', description: 'The digits of more than 2^53-1.' }),
]);

/** An object or null: unlike a union it can hold positions that are beyond what a double holds. */
export const objectOrNull = <Schema extends TObject>(schema: Schema) =>
  Type.Unsafe<Static<Schema> | null>({ ...schema, type: ['object', 'null'] });
export const Timestamp = Type.String({ format: 'date-time', description: 'RFC 3339.' });

export const ProblemSchema = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.Optional(Type.String()),
    instance: Type.String({ description: 'The request id.' }),
  },
  { additionalProperties: true, description: 'RFC 9457. Codes: docs/errors.md.' },
);

/** An answer of another kind than application/json. */
export const answerOf = <Kinds extends Readonly<Record<string, TSchema>>>(
  description: string,
  kinds: Kinds,
) => ({
  description,
  content: Object.fromEntries(Object.entries(kinds).map(([kind, schema]) => [kind, { schema }])),
});

const problem = (description: string) =>
  answerOf(description, { 'application/problem+json': ProblemSchema });

/** The answers that every route under /api/v1 may give besides its own. */
export const problems = {
  '4xx': problem('The request was refused; its code is in docs/errors.md.'),
  '5xx': problem('It failed on our side; with 503, try again.'),
} as const;

export const Change = Type.Object({
  path: Type.String({ description: 'JSON pointer into the state.' }),
  before: Type.Optional(Type.Unknown()),
  after: Type.Optional(Type.Unknown()),
  text: Type.String({ description: 'For people.' }),
});

/** What of the read model was compared with a fold of the log, and what differs. */
export const RowsComparedSchema = Type.Object({
  streams: Type.Integer(),
  events: Type.Integer(),
  rows: Type.Record(Type.String(), Type.Integer(), { description: 'Rows compared, by table.' }),
  differences: Type.Array(
    Type.Object({
      table: Type.String(),
      key: Type.Record(Type.String(), Type.Unknown()),
      column: Type.Union([Type.String(), Type.Null()], {
        description: 'The first that differs; null when only one side has the row.',
      }),
      only: Type.Optional(
        Type.String({
          description: 'live: the log has no such row; rebuilt: only the log has it.',
        }),
      ),
    }),
  ),
  parked: Type.Array(
    Type.Object({
      stream: Type.String(),
      revision: Revision,
      position: Position,
      type: Type.String(),
    }),
  ),
  skipped: Type.Array(
    Type.Object({
      stream: Type.String(),
      revision: Revision,
      position: Position,
      type: Type.Union([Type.String(), Type.Null()]),
      reason: Type.Union([Type.String(), Type.Null()]),
    }),
    { description: 'Events that an operator has skipped.' },
  ),
  deleted: Type.Array(Type.String(), {
    description: 'Streams that were deleted permanently in the event store.',
  }),
});

import { type Static, Type } from '@sinclair/typebox';
import { answerOf } from '../http/schemas.js';

// For the OpenAPI document: bodies are read by request.ts, which takes more than these say.

const Metadata = Type.Record(
  Type.String(),
  Type.Union([Type.Boolean(), Type.String(), Type.Number()]),
);

const Success = Type.Object({
  key: Type.String(),
  value: Type.Optional(Type.Unknown({ description: 'Absent: the application serves its own.' })),
  reason: Type.String(),
  variant: Type.Optional(Type.String()),
  metadata: Metadata,
});

const Failure = Type.Object({
  key: Type.Optional(Type.String()),
  errorCode: Type.String(),
  errorDetails: Type.String(),
  metadata: Metadata,
});

const EventStream = Type.Object({
  type: Type.Literal('sse'),
  url: Type.Optional(Type.String()),
  endpoint: Type.Optional(Type.Object({ requestUri: Type.String() })),
  inactivityDelaySec: Type.Integer(),
});

const Evaluation = Type.Object(
  {
    context: Type.Optional(
      Type.Object({ targetingKey: Type.Optional(Type.String()) }, { additionalProperties: true }),
    ),
  },
  { additionalProperties: true },
);

const BulkQuery = Type.Object({
  flagConfigEtag: Type.Optional(Type.String({ description: '"etag" of the event that said so.' })),
  flagConfigLastModified: Type.Optional(Type.String()),
});

export type BulkQuery = Static<typeof BulkQuery>;

const about = {
  tags: ['ofrep'],
  security: [{ credential: [] }, { apiKey: [] }],
  body: Evaluation,
};

const failures = { '4xx': Failure, '5xx': Failure };

export const SINGLE_SCHEMA = {
  ...about,
  summary: 'Evaluate one flag (OFREP)',
  params: Type.Object({ key: Type.String() }),
  response: { 200: Success, ...failures },
};

export const BULK_SCHEMA = {
  ...about,
  summary: 'Evaluate all flags (OFREP)',
  querystring: BulkQuery,
  response: {
    200: Type.Object({
      flags: Type.Array(Type.Union([Success, Failure])),
      metadata: Metadata,
      eventStreams: Type.Optional(Type.Array(EventStream)),
    }),
    304: Type.Null({ description: 'Nothing has changed for this context.' }),
    ...failures,
  },
};

const StreamQuery = Type.Object({
  token: Type.String({
    description: 'From "eventStreams" of an answer; valid for one to two hours.',
  }),
});

export type StreamQuery = Partial<Static<typeof StreamQuery>>;

export const STREAM_SCHEMA = {
  tags: ['ofrep'],
  summary: 'Follow changes as server-sent events',
  security: [{ streamToken: [] }],
  querystring: StreamQuery,
  response: {
    200: answerOf('Events of type refetchEvaluation; their ids are log positions.', {
      'text/event-stream': Type.String(),
    }),
    ...failures,
  },
};

import { type TSchema, Type } from '@sinclair/typebox';
import { type Json } from '../../domain/json.js';
import { type FullVerification } from '../../queries/trail/verify-trail.js';
import {
  closed,
  ExactPosition,
  objectOrNull,
  Position,
  positionAsked,
  Revision,
  RowsComparedSchema,
  Timestamp,
} from '../http/schemas.js';

const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const Hash = Type.String({ pattern: '^[0-9a-f]{64}$', description: 'SHA-256, hex.' });
const Text = Type.String({ minLength: 1, maxLength: 300 });

export const CheckpointSchema = Type.Object(
  {
    statement: Type.Object(
      {
        version: Type.Literal(1),
        organization: Text,
        from: Count,
        count: Count,
        position: ExactPosition,
        head: Hash,
        root: Hash,
        at: Timestamp,
        keyId: Type.String({ pattern: '^[0-9a-f]{16}$' }),
      },
      closed,
    ),
    signature: Type.String({ pattern: '^[A-Za-z0-9+/]{86}==$', description: 'Ed25519, base64.' }),
  },
  closed,
);

const Delivered = Type.Union(
  [
    Type.Object({
      delivered: Count,
      waiting: Count,
      lastAt: Type.Union([Timestamp, Type.Null()]),
    }),
    Type.Null(),
  ],
  { description: 'Null: none is configured.' },
);

export const CheckpointList = Type.Object({
  items: Type.Array(CheckpointSchema),
  delivery: Type.Object({ file: Delivered, webhook: Delivered }),
});

const KeyText = Type.String({ description: 'Ed25519, SPKI, PEM.' });

const Succession = Type.Object({
  statement: Type.Object({
    version: Type.Literal(1),
    keyId: Type.String(),
    publicKey: KeyText,
    previousKeyId: Type.String(),
    previousPublicKey: KeyText,
    at: Timestamp,
  }),
  signature: Type.String({ description: 'Of the previous key, over the statement.' }),
});

export const PublicKey = Type.Object({
  keyId: Type.String(),
  publicKey: KeyText,
  successions: Type.Array(Succession, {
    description: 'The statement by which each key vouches for the next, newest first.',
  }),
});

export const PositionParams = Type.Object({
  position: positionAsked(0, 'Of the event, in the whole log.'),
});

export const Proof = Type.Object({
  event: Type.Unsafe<Readonly<Record<string, Json>>>(
    Type.Object({}, { additionalProperties: true }),
  ),
  index: Count,
  size: Count,
  path: Type.Array(Hash),
  checkpoint: CheckpointSchema,
  publicKey: Type.String(),
});

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

const Finding = Type.Object({
  kind: Type.String({ description: 'altered, moved, inserted or missing.' }),
  position: Position,
  stream: Type.String(),
  revision: Revision,
  type: Type.String(),
  id: Type.String(),
});

const tally = { found: Count, first: objectOrNull(Finding) };

const Judged = Type.Object({
  verdict: Type.String({ description: 'holds, broken or unproven.' }),
  explanation: Type.String(),
  ...tally,
});

export const Verified = Type.Unsafe<FullVerification>(
  Type.Object({
    organization: Type.String(),
    events: Count,
    position: Position,
    head: Hash,
    unattested: Count,
    integrity: Judged,
    completeness: Judged,
    checkpoint: nullable(
      Type.Object({
        ...CheckpointSchema.properties,
        reproduction: Type.String({ description: 'reproduced, different or too-short.' }),
      }),
    ),
    unknownSignatures: Count,
    readModel: Type.Object(tally),
    stores: Type.Object({
      organizations: Count,
      readModel: RowsComparedSchema,
      redis: nullable(
        Type.Object({
          environments: Count,
          entries: Count,
          differences: Type.Array(Type.String()),
        }),
      ),
    }),
  }),
);

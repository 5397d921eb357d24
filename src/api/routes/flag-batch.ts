import { Type } from '@sinclair/typebox';
import { Position } from '../schemas.js';

/** A batch may take longer than a command: it is many of them. */
export const BATCH_TIMEOUT_MS = 60_000;

/** What became of one of many. */
export const batchResult = {
  result: Type.String({ description: 'created, changed, unchanged or refused.' }),
  code: Type.Optional(Type.String({ description: 'Why it was refused.' })),
  detail: Type.Optional(Type.String({ description: 'Where, and what.' })),
  revision: Type.Optional(Type.Integer({ minimum: -1 })),
  position: Type.Optional(Position),
  events: Type.Optional(Type.Array(Type.Object({ type: Type.String(), data: Type.Unknown() }))),
};

/** What a command on many flags answers: a report a flag. */
export const batchReport = {
  dryRun: Type.Boolean(),
  summary: Type.Object({
    created: Type.Integer(),
    changed: Type.Integer(),
    unchanged: Type.Integer(),
    refused: Type.Integer(),
  }),
  flags: Type.Array(Type.Object({ flag: Type.String(), ...batchResult })),
};

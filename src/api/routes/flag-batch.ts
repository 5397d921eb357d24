import { Type } from '@sinclair/typebox';
import { Position } from '../schemas.js';

/** A batch may take longer than a command: it is many of them. */
export const BATCH_TIMEOUT_MS = 60_000;

const ON_CONFLICT = ['fail', 'skip', 'theirs', 'mine'] as const;

export const OnConflictQuery = Type.Optional(
  Type.Union(
    ON_CONFLICT.map((policy) => Type.Literal(policy)),
    {
      default: 'fail',
      description:
        'Where both sides changed a field since they were merged last: write nothing at all, leave that flag alone, keep what is here, or take what is brought.',
    },
  ),
);

/** A field that both sides changed. */
const Conflict = Type.Object({
  field: Type.String({ description: 'A JSON pointer into the flag or segment.' }),
  theirs: Type.Unknown({ description: 'What is here; null: nothing.' }),
  mine: Type.Unknown({ description: 'What is brought; null: nothing.' }),
  why: Type.Optional(Type.String()),
  changedBy: Type.Optional(
    Type.Object({ id: Type.String(), type: Type.String(), authMethod: Type.String() }),
  ),
  changedAt: Type.Optional(Type.String({ format: 'date-time' })),
  revision: Type.Optional(Type.Integer()),
});

/** What a merge tells besides what became of it. */
export const mergeNotes = {
  conflicts: Type.Optional(Type.Array(Conflict)),
  kept: Type.Optional(
    Type.Array(Type.String(), {
      description: 'Fields that differ and stay, because only people here changed them.',
    }),
  ),
  warnings: Type.Optional(Type.Array(Type.String())),
};

/** What became of one of many. */
export const batchResult = {
  result: Type.String({ description: 'created, changed, unchanged, skipped or refused.' }),
  code: Type.Optional(Type.String({ description: 'Why it was refused.' })),
  detail: Type.Optional(Type.String({ description: 'Where, and what.' })),
  revision: Type.Optional(Type.Integer({ minimum: -1 })),
  position: Type.Optional(Position),
  ...mergeNotes,
  events: Type.Optional(Type.Array(Type.Object({ type: Type.String(), data: Type.Unknown() }))),
};

/** What a command on many flags answers: a report a flag. */
export const batchReport = {
  dryRun: Type.Boolean(),
  summary: Type.Object({
    created: Type.Integer(),
    changed: Type.Integer(),
    unchanged: Type.Integer(),
    skipped: Type.Integer(),
    refused: Type.Integer(),
  }),
  flags: Type.Array(Type.Object({ flag: Type.String(), ...batchResult })),
};

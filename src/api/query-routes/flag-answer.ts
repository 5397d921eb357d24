import { Type } from '@sinclair/typebox';
import { type FlagView } from '../../queries/flags/flag-view.js';
import { Position, Revision, Timestamp } from '../schemas.js';
import { flagContent, FlagStatus, nullable, Provenance, provenance } from './view-schemas.js';

const Deletion = Type.Object({
  at: Timestamp,
  by: provenance.actor,
  reason: provenance.reason,
  howToRestore: Type.String(),
});

/** Properties of a flag's answer. */
export const FlagSchema = {
  project: Type.String(),
  ...flagContent,
  statusBefore: nullable(FlagStatus),
  revision: Revision,
  createdAt: Timestamp,
  updatedAt: Timestamp,
  lastChange: Provenance,
  heldUntil: nullable(
    Type.Object(
      { position: Position, recordedAt: Timestamp },
      { description: 'When the next change came; null while none has.' },
    ),
  ),
  deletion: nullable(Deletion),
};

/** A flag with the project it is of and, when it is deleted, how to get it back. */
export type FlagAnswer = FlagView &
  Readonly<{
    project: string;
    deletion: Readonly<{
      at: string;
      by: FlagView['lastChange']['actor'];
      reason: string | null;
      howToRestore: string;
    }> | null;
  }>;

const deletionOf = (
  project: string,
  { status, key, lastChange }: FlagView,
): FlagAnswer['deletion'] =>
  status === 'deleted'
    ? {
        at: lastChange.recordedAt,
        by: lastChange.actor,
        reason: lastChange.reason,
        howToRestore: `POST /api/v1/projects/${project}/flags/${key}/restore`,
      }
    : null;

export const flagAnswer = (project: string, flag: FlagView): FlagAnswer => ({
  project,
  ...flag,
  deletion: deletionOf(project, flag),
});

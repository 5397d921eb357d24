import { Type } from '@sinclair/typebox';
import { type FlagView } from '../../queries/flags/flag-view.js';
import { type Told, type ToldChange } from '../access/who-changed.js';
import { objectOrNull, Position, Revision, Timestamp } from '../schemas.js';
import { flagContent, FlagStatus, LastChange, nullable, provenance } from './view-schemas.js';

const Deletion = Type.Object({
  at: Timestamp,
  by: Type.Optional(provenance.actor),
  reason: Type.Optional(provenance.reason),
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
  lastChange: LastChange,
  heldUntil: objectOrNull(
    Type.Object(
      { position: Position, recordedAt: Timestamp },
      { description: 'When the next change came; null while none has.' },
    ),
  ),
  deletion: objectOrNull(Deletion),
};

/** A flag with the project it is of and, when it is deleted, how to get it back. */
export type FlagAnswer = Told<FlagView> &
  Readonly<{
    project: string;
    deletion:
      | (Readonly<{ at: string; by?: ToldChange['actor']; howToRestore: string }> &
          Pick<ToldChange, 'reason'>)
      | null;
  }>;

const deletionOf = (
  project: string,
  { status, key, lastChange: { recordedAt, actor, reason } }: Told<FlagView>,
): FlagAnswer['deletion'] =>
  status === 'deleted'
    ? {
        at: recordedAt,
        ...(actor !== undefined && { by: actor }),
        ...(reason !== undefined && { reason }),
        howToRestore: `POST /api/v1/projects/${project}/flags/${key}/restore`,
      }
    : null;

export const flagAnswer = (project: string, flag: Told<FlagView>): FlagAnswer => ({
  project,
  ...flag,
  deletion: deletionOf(project, flag),
});

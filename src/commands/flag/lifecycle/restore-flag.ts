import { type Command, DomainError } from '../../../domain/decider.js';
import { type FlagEvent } from '../../../domain/flag/events.js';
import { type Flag } from '../../../domain/flag/flag.js';
import { requireExisting } from '../guards.js';
import { type Snapshot, snapshotEventData } from '../snapshot.js';

/** Brings a deleted flag back, as it was at `snapshot`. */
export type RestoreFlag = Command<
  'RestoreFlag',
  { projectId: string; flagKey: string; snapshot: Snapshot }
>;

export const restoreFlag = ({ data }: RestoreFlag, flag: Flag): readonly FlagEvent[] => {
  if (requireExisting(flag, data.flagKey).status !== 'deleted') {
    throw new DomainError(
      'flag-not-deleted',
      `Flag '${data.flagKey}' is not deleted; to change it back, revert it.`,
    );
  }
  return [{ type: 'FlagRestored', data: snapshotEventData(data.snapshot) }];
};

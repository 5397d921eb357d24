import { type Command } from '../../../domain/decider.js';
import { type FlagEvent } from '../../../domain/flag/events.js';
import { type Flag } from '../../../domain/flag/flag.js';
import { requireExisting } from '../guards.js';

/** The flag keeps its key and its history, is no longer evaluated, and can be restored. */
export type DeleteFlag = Command<'DeleteFlag', { projectId: string; flagKey: string }>;

export const deleteFlag = ({ data }: DeleteFlag, flag: Flag): readonly FlagEvent[] =>
  requireExisting(flag, data.flagKey).status === 'deleted'
    ? []
    : [{ type: 'FlagDeleted', data: {} }];

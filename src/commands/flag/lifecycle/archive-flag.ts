import { type Command } from '../../../domain/decider.js';
import { type FlagEvent } from '../../../domain/flag/events.js';
import { type Flag } from '../../../domain/flag/flag.js';
import { requireLive } from '../guards.js';

/** An archived flag serves its off variant everywhere and cannot be configured. */
export type ArchiveFlag = Command<'ArchiveFlag', { projectId: string; flagKey: string }>;

export const archiveFlag = ({ data }: ArchiveFlag, flag: Flag): readonly FlagEvent[] =>
  requireLive(flag, data.flagKey).status === 'archived' ? [] : [{ type: 'FlagArchived', data: {} }];

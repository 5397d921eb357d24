import { type Command } from '../../../domain/decider.js';
import { type FlagEvent } from '../../../domain/flag/events.js';
import { type Flag } from '../../../domain/flag/flag.js';
import { requireLive } from '../guards.js';

export type UnarchiveFlag = Command<'UnarchiveFlag', { projectId: string; flagKey: string }>;

export const unarchiveFlag = ({ data }: UnarchiveFlag, flag: Flag): readonly FlagEvent[] =>
  requireLive(flag, data.flagKey).status === 'active' ? [] : [{ type: 'FlagUnarchived', data: {} }];

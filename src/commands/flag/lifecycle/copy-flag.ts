import { type Command } from '../../../domain/decider.js';
import { type FlagContent, type FlagEvent } from '../../../domain/flag/events.js';
import { type Flag } from '../../../domain/flag/flag.js';
import { refuseTaken } from './create-flag.js';

/** A new flag with another's complete configuration; its own key is its salt, so users fall anew. */
export type CopyFlag = Command<
  'CopyFlag',
  {
    projectId: string;
    flagKey: string;
    name?: string;
    source: Readonly<{ content: FlagContent; revision: number }>;
  }
>;

export const copyFlag = (
  { data: { projectId, flagKey, name, source } }: CopyFlag,
  flag: Flag,
): readonly FlagEvent[] => {
  if (flag.status !== 'absent') refuseTaken(flag);
  const { content, revision } = source;
  const copiedFrom = { projectId: content.projectId, flagKey: content.key, revision };
  const own = { projectId, key: flagKey, name: name ?? content.name, salt: flagKey };
  return [{ type: 'FlagCreated', data: { ...content, ...own, copiedFrom } }];
};

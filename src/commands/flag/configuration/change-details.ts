import { type Command } from '../../../domain/decider.js';
import { type FlagEvent } from '../../../domain/flag/events.js';
import { type Flag } from '../../../domain/flag/flag.js';
import { sameJson } from '../../../domain/json.js';
import { requireActive } from '../guards.js';

/** What is left out stays as it is. */
export type ChangeFlagDetails = Command<
  'ChangeFlagDetails',
  {
    projectId: string;
    flagKey: string;
    name?: string;
    description?: string;
    tags?: readonly string[];
  }
>;

export const changeFlagDetails = (
  { data }: ChangeFlagDetails,
  flag: Flag,
): readonly FlagEvent[] => {
  const active = requireActive(flag, data.flagKey);
  const present = { name: active.name, description: active.description, tags: active.tags };
  const { name = present.name, description = present.description } = data;
  const tags = data.tags === undefined ? present.tags : [...new Set(data.tags)];
  const wanted = { name, description, tags };
  return sameJson(present, wanted) ? [] : [{ type: 'FlagDetailsChanged', data: wanted }];
};

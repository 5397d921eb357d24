import { type Command } from '../../../domain/decider.js';
import { type FlagEvent, type FlagMetadata } from '../../../domain/flag/events.js';
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
    /** The whole new set; an empty one removes it. */
    metadata?: FlagMetadata;
  }
>;

export const changeFlagDetails = (
  { data }: ChangeFlagDetails,
  flag: Flag,
): readonly FlagEvent[] => {
  const active = requireActive(flag, data.flagKey);
  const { name: oldName, description: oldDescription, tags: oldTags, metadata: old = {} } = active;
  const present = { name: oldName, description: oldDescription, tags: oldTags };
  const { name = present.name, description = present.description } = data;
  const tags = data.tags === undefined ? present.tags : [...new Set(data.tags)];
  const wanted = { name, description, tags };
  const { metadata = old } = data;
  const hasOtherMetadata = !sameJson(old, metadata);
  if (sameJson(present, wanted) && !hasOtherMetadata) return [];
  const details = { ...wanted, ...(hasOtherMetadata && { metadata }) };
  return [{ type: 'FlagDetailsChanged', data: details }];
};

import { type Command } from '../../../domain/decider.js';
import { type FlagEvent, type FlagMetadata } from '../../../domain/flag/events.js';
import { type ExistingFlag, type Flag } from '../../../domain/flag/flag.js';
import { sameJson } from '../../../domain/json.js';
import { requireActive } from '../guards.js';

type Details = Pick<ExistingFlag, 'name' | 'description' | 'tags'>;

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

const detailsOf = ({ name, description, tags }: Details) => ({ name, description, tags });

export const changeFlagDetails = (
  { data: { projectId: _, flagKey, tags, metadata, ...words } }: ChangeFlagDetails,
  flag: Flag,
): readonly FlagEvent[] => {
  const active = requireActive(flag, flagKey);
  const present = detailsOf(active);
  const wanted = { ...present, ...words, ...(tags && { tags: [...new Set(tags)] }) };
  const isOther = metadata !== undefined && !sameJson(active.metadata ?? {}, metadata);
  if (sameJson(present, wanted) && !isOther) return [];
  return [{ type: 'FlagDetailsChanged', data: { ...wanted, ...(isOther && { metadata }) } }];
};

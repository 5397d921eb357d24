import { type Command } from '../../../domain/decider.js';
import { type Variant } from '../../../domain/flag/configuration.js';
import { type FlagEvent } from '../../../domain/flag/events.js';
import { type Flag } from '../../../domain/flag/flag.js';
import { sameJson } from '../../../domain/json.js';
import { requireActive, requireUnnamedVariants, requireUsedVariants } from '../guards.js';
import { requireValidVariants } from '../variants.js';

/** The whole new list. A variant that is served somewhere cannot be left out. */
export type ChangeVariants = Command<
  'ChangeVariants',
  { projectId: string; flagKey: string; variants: readonly Variant[] }
>;

export const changeVariants = ({ data }: ChangeVariants, flag: Flag): readonly FlagEvent[] => {
  const active = requireActive(flag, data.flagKey);
  requireValidVariants(active.type, data.variants);
  requireUsedVariants(data.variants, active);
  requireUnnamedVariants(active, data.variants);
  return sameJson(active.variants, data.variants)
    ? []
    : [{ type: 'FlagVariantsChanged', data: { variants: data.variants } }];
};

import { type Command, DomainError } from '../../../domain/decider.js';
import { type Serve, type Variant } from '../../../domain/flag/configuration.js';
import { type FlagEvent } from '../../../domain/flag/events.js';
import { type ExistingFlag, type Flag } from '../../../domain/flag/flag.js';
import { sameJson } from '../../../domain/json.js';
import { type Project } from '../../../domain/project/project.js';
import { requireConfigurable } from '../guards.js';
import { toSplit } from '../split.js';

/**
 * The most common need in one call: this many percent of users get `true`, the rest `false`, and the flag is on.
 * 0 and 100 serve one variant to everyone.
 */
export type SetRolloutPercentage = Command<
  'SetRolloutPercentage',
  {
    projectId: string;
    flagKey: string;
    environment: string;
    percentage: number;
    bucketBy?: string;
  }
>;

const variantOf = (flag: ExistingFlag, wanted: boolean): Variant => {
  const found = flag.variants.find(({ value }) => value === wanted);
  if (found !== undefined) return found;
  throw new DomainError(
    'flag-not-boolean',
    `Flag '${flag.key}' has no variant whose value is ${wanted}; change its rollout with shares per variant.`,
  );
};

export const setRolloutPercentage = (
  { data }: SetRolloutPercentage,
  flag: Flag,
  project: Project,
): readonly FlagEvent[] => {
  const { active, configuration } = requireConfigurable(flag, project, data);
  const { environment, percentage, bucketBy } = data;
  const [on, off] = [variantOf(active, true), variantOf(active, false)];
  const shares = [
    { variant: on.name, percent: percentage },
    { variant: off.name, percent: 100 - percentage },
  ];
  const split = toSplit(shares, { variant: null }, bucketBy === undefined ? {} : { bucketBy });
  const whole = split.weights.find(({ weight }) => weight === split.total);
  const fallthrough: Serve = whole === undefined ? { split } : { variant: whole.variant };
  const events: FlagEvent[] = [];
  if (!sameJson(configuration.fallthrough, fallthrough)) {
    events.push({ type: 'FlagRolloutChanged', data: { environment, fallthrough } });
  }
  if (!configuration.enabled) events.push({ type: 'FlagEnabled', data: { environment } });
  return events;
};

import { type Command, DomainError } from '../../../domain/decider.js';
import { type Target } from '../../../domain/flag/configuration.js';
import { type FlagEvent } from '../../../domain/flag/events.js';
import { type Flag } from '../../../domain/flag/flag.js';
import { sameJson } from '../../../domain/json.js';
import { type Project } from '../../../domain/project/project.js';
import { requireConfigurable, requireVariants } from '../guards.js';

/** The whole new list of individual targets of one environment. */
export type ChangeTargets = Command<
  'ChangeTargets',
  { projectId: string; flagKey: string; environment: string; targets: readonly Target[] }
>;

/** Keys of one flag in one environment, of all variants together. */
export const MAX_TARGETS = 10_000;

const countOf = (targets: readonly Target[]): number =>
  targets.reduce((count, { keys }) => count + keys.length, 0);

/** @throws DomainError `too-many-keys` */
const requireFewTargets = (before: readonly Target[], after: readonly Target[]): void => {
  const count = countOf(after);
  // What has more already may become less.
  if (count <= MAX_TARGETS || count <= countOf(before)) return;
  throw new DomainError(
    'too-many-keys',
    `There would be ${count} targets; a flag has at most ${MAX_TARGETS} in an environment. Put the keys into a segment.`,
  );
};

/** One entry a variant, every key once. @throws DomainError `duplicate-target` for a key with two variants */
export const normaliseTargets = (targets: readonly Target[]): readonly Target[] => {
  const variantOf = new Map<string, string>();
  for (const { variant, keys } of targets) {
    for (const key of keys) {
      const other = variantOf.get(key) ?? variant;
      if (other !== variant) {
        throw new DomainError(
          'duplicate-target',
          `Targeting key '${key}' is given to both '${other}' and '${variant}'.`,
        );
      }
      variantOf.set(key, variant);
    }
  }
  const variants = [...new Set(targets.map(({ variant }) => variant))];
  return variants.flatMap((variant) => {
    const keys = [...variantOf.keys()].filter((key) => variantOf.get(key) === variant);
    return keys.length === 0 ? [] : [{ variant, keys }];
  });
};

export const changeTargets = (
  { data }: ChangeTargets,
  flag: Flag,
  project: Project,
): readonly FlagEvent[] => {
  const { active, configuration } = requireConfigurable(flag, project, data);
  const { environment } = data;
  requireVariants(
    active.variants,
    data.targets.map(({ variant }) => variant),
  );
  const targets = normaliseTargets(data.targets);
  if (sameJson(configuration.targets, targets)) return [];
  requireFewTargets(configuration.targets, targets);
  return [{ type: 'FlagTargetsChanged', data: { environment, targets } }];
};

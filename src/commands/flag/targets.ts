import { type Command, DomainError } from '../../domain/decider.js';
import { type Prerequisite, type Target } from '../../domain/flag/configuration.js';
import { type FlagEvent } from '../../domain/flag/events.js';
import { type Flag } from '../../domain/flag/flag.js';
import { sameJson } from '../../domain/json.js';
import { type Project } from '../../domain/project.js';
import { requireConfigurable, requireVariants } from './guards.js';

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
const normaliseTargets = (targets: readonly Target[]): readonly Target[] => {
  const variantOf = new Map<string, string>();
  for (const { variant, keys } of targets) {
    for (const key of keys) {
      const other = variantOf.get(key) ?? variant;
      if (other !== variant) {
        throw new DomainError(
          'duplicate-target',
          `Targeting key '${key}' is assigned to both '${other}' and '${variant}'.`,
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

/** Gives these targeting keys one variant, whatever they were given before. */
export type AddTargets = Command<
  'AddTargets',
  {
    projectId: string;
    flagKey: string;
    environment: string;
    variant: string;
    keys: readonly string[];
  }
>;

export const addTargets = (
  { data: { variant, keys, ...data } }: AddTargets,
  flag: Flag,
  project: Project,
): readonly FlagEvent[] => {
  const { configuration } = requireConfigurable(flag, project, data);
  const moved = new Set(keys);
  const others = configuration.targets.map((target) =>
    target.variant === variant
      ? target
      : { ...target, keys: target.keys.filter((key) => !moved.has(key)) },
  );
  const targets = [...others, { variant, keys }];
  return changeTargets({ type: 'ChangeTargets', data: { ...data, targets } }, flag, project);
};

/** These targeting keys are targeted individually no more. */
export type RemoveTargets = Command<
  'RemoveTargets',
  { projectId: string; flagKey: string; environment: string; keys: readonly string[] }
>;

export const removeTargets = (
  { data: { keys, ...data } }: RemoveTargets,
  flag: Flag,
  project: Project,
): readonly FlagEvent[] => {
  const { configuration } = requireConfigurable(flag, project, data);
  const removed = new Set(keys);
  const targets = configuration.targets.map((target) => ({
    ...target,
    keys: target.keys.filter((key) => !removed.has(key)),
  }));
  return changeTargets({ type: 'ChangeTargets', data: { ...data, targets } }, flag, project);
};

/** The whole new list; all of them must be met. That the flags and variants exist is checked before the append. */
export type ChangePrerequisites = Command<
  'ChangePrerequisites',
  {
    projectId: string;
    flagKey: string;
    environment: string;
    prerequisites: readonly Prerequisite[];
  }
>;

/** @throws DomainError `duplicate-prerequisite` */
const requireDifferent = (prerequisites: readonly Prerequisite[]): void => {
  const keys = new Set<string>();
  for (const { flagKey } of prerequisites) {
    if (keys.has(flagKey)) {
      throw new DomainError(
        'duplicate-prerequisite',
        `Flag '${flagKey}' is named twice; name all variants that will do in one prerequisite.`,
      );
    }
    keys.add(flagKey);
  }
};

export const changePrerequisites = (
  { data }: ChangePrerequisites,
  flag: Flag,
  project: Project,
): readonly FlagEvent[] => {
  const { prerequisites: present = [] } = requireConfigurable(flag, project, data).configuration;
  requireDifferent(data.prerequisites);
  const prerequisites = data.prerequisites.map(({ flagKey, variants }) => ({
    flagKey,
    variants: [...new Set(variants)],
  }));
  if (sameJson(present, prerequisites)) return [];
  const { environment } = data;
  return [{ type: 'FlagPrerequisitesChanged', data: { environment, prerequisites } }];
};

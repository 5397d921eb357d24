import { type Change, listed, valueChange } from './changes/change.js';
import { configurationChanges, firstConfigurations } from './changes/configuration-changes.js';
import { environmentChanges } from './changes/project-changes.js';
import { statusChanges, tagChanges, variantsChanges } from './changes/flag-changes.js';
import { configurationOf, type ExistingFlag } from './flag/flag.js';
import { type ExistingProject } from './project.js';

export { type Change } from './changes/change.js';

const appeared = (after: string, text: string): Change => ({ path: '/status', after, text });
const gone = (before: string): Change => ({ path: '/status', before, text: 'did not exist' });

const flagAppeared = (flag: ExistingFlag): readonly Change[] => {
  const variants = listed(flag.variants.map(({ name }) => name));
  const since = flag.status === 'active' ? '' : `, ${flag.status} since`;
  const text = `created as ${flag.type} flag "${flag.name}" with the variants ${variants}${since}`;
  return [appeared(flag.status, text), ...firstConfigurations(flag)];
};

const flagDifferences = (before: ExistingFlag, after: ExistingFlag): readonly Change[] => [
  ...statusChanges(before, after),
  ...valueChange('/name', 'name', before.name, after.name),
  ...valueChange('/description', 'description', before.description, after.description),
  ...tagChanges(before.tags, after.tags),
  ...valueChange('/metadata', 'metadata', before.metadata ?? {}, after.metadata ?? {}),
  ...valueChange('/type', 'type', before.type, after.type),
  ...variantsChanges(before.variants, after.variants),
  ...valueChange('/salt', 'salt', before.salt, after.salt),
  ...configurationChanges(before, after),
];

/** From one state of a flag to another; `undefined` is a flag that does not exist. Empty when both are equal. */
export const changesBetween = (
  before: ExistingFlag | undefined,
  after: ExistingFlag | undefined,
): readonly Change[] => {
  if (after === undefined) return before === undefined ? [] : [gone(before.status)];
  return before === undefined ? flagAppeared(after) : flagDifferences(before, after);
};

const inEnvironment = (flag: ExistingFlag, environment: string): ExistingFlag => ({
  ...flag,
  description: '',
  tags: [],
  environments: { [environment]: configurationOf(flag, environment) },
});

/** As `changesBetween`, but only what applications in this environment can notice. */
export const changesInEnvironment = (
  before: ExistingFlag | undefined,
  after: ExistingFlag | undefined,
  environment: string,
): readonly Change[] => {
  const old = before && inEnvironment(before, environment);
  const current = after && inEnvironment(after, environment);
  return changesBetween(old, current).filter(
    ({ path }) => path !== '/name' && !path.startsWith('/defaults'),
  );
};

/** From one state of a project to another; `undefined` is a project that does not exist. Empty when both are equal. */
export const projectChangesBetween = (
  before: ExistingProject | undefined,
  after: ExistingProject | undefined,
): readonly Change[] => {
  if (after === undefined) return before === undefined ? [] : [gone(before.status)];
  if (before === undefined) {
    const created = appeared(after.status, `created as "${after.name}"`);
    return [created, ...environmentChanges({ ...after, environments: [] }, after)];
  }
  const text = after.status === 'deleted' ? 'deleted' : 'restored';
  return [
    ...(before.status === after.status
      ? []
      : [{ path: '/status', before: before.status, after: after.status, text }]),
    ...valueChange('/name', 'name', before.name, after.name),
    ...valueChange('/description', 'description', before.description, after.description),
    ...environmentChanges(before, after),
  ];
};

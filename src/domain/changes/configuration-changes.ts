import { type Configuration, type Prerequisite, type Target } from '../flag/configuration.js';
import { configurationOf, type ExistingFlag } from '../flag/flag.js';
import { sameJson } from '../json.js';
import { setDifference } from '../targeting/key-lists.js';
import { type Change, listed, type Scope, step, within, worded } from './change.js';
import { ruleChanges } from './rule-changes.js';
import { configurationText, serveText, variantText } from './wording.js';

const wantedText = ({ variants }: Prerequisite): string =>
  `must serve ${variants.map((variant) => JSON.stringify(variant)).join(' or ')}`;

/** Prerequisites that came, went or want other variants. */
const prerequisiteChanges = (
  scope: Scope,
  before: readonly Prerequisite[] = [],
  after: readonly Prerequisite[] = [],
): readonly Change[] => {
  const pathOf = ({ flagKey }: Prerequisite) => `${scope.path}/prerequisites/${step(flagKey)}`;
  const say = ({ flagKey }: Prerequisite, text: string) =>
    within(scope, `prerequisite flag ${JSON.stringify(flagKey)} ${text}`);
  const of = (list: readonly Prerequisite[], { flagKey }: Prerequisite) =>
    list.find((candidate) => candidate.flagKey === flagKey);
  const changes = [
    ...before
      .filter((old) => of(after, old) === undefined)
      .map((old) => ({ path: pathOf(old), before: old.variants, text: say(old, 'removed') })),
    ...after.flatMap((wanted): Change[] => {
      const old = of(before, wanted);
      const now = { path: pathOf(wanted), after: wanted.variants };
      if (old === undefined) return [{ ...now, text: say(wanted, `added: ${wantedText(wanted)}`) }];
      if (sameJson(old.variants, wanted.variants)) return [];
      return [{ ...now, before: old.variants, text: say(wanted, wantedText(wanted)) }];
    }),
  ];
  if (changes.length > 0 || sameJson(before, after)) return changes;
  const path = `${scope.path}/prerequisites`;
  return [{ path, before, after, text: within(scope, 'prerequisites put in another order') }];
};

const DEFAULTS: Scope = { path: '/defaults', label: 'by default' };

const keysOf = (targets: readonly Target[], variant: string): readonly string[] =>
  targets.filter((target) => target.variant === variant).flatMap(({ keys }) => keys);

const targetChanges = (
  { path, label }: Scope,
  before: readonly Target[],
  after: readonly Target[],
): readonly Change[] => {
  const variants = new Set([...before, ...after].map(({ variant }) => variant));
  const changes = [...variants].flatMap((variant): Change[] => {
    const { removed, added } = setDifference(keysOf(before, variant), keysOf(after, variant));
    const at = `${path}/targets/${step(variant)}`;
    const goneText = `${label}: ${listed(removed)} removed from the targets of "${variant}"`;
    const newText = `${label}: ${listed(added)} added to the targets of "${variant}"`;
    return [
      ...(removed.length > 0 ? [{ path: at, before: removed, text: goneText }] : []),
      ...(added.length > 0 ? [{ path: at, after: added, text: newText }] : []),
    ];
  });
  if (changes.length > 0 || sameJson(before, after)) return changes;
  return [
    { path: `${path}/targets`, before, after, text: `${label}: targets put in another order` },
  ];
};

const differences = (
  { path, label }: Scope,
  before: Configuration,
  after: Configuration,
): readonly Change[] => [
  ...worded(
    { path: `${path}/enabled`, label },
    [before.enabled, after.enabled],
    after.enabled ? 'enabled' : 'disabled',
  ),
  ...worded(
    { path: `${path}/fallthrough`, label },
    [before.fallthrough, after.fallthrough],
    `fallthrough was ${serveText(before.fallthrough)}, now ${serveText(after.fallthrough)}`,
  ),
  ...worded(
    { path: `${path}/offVariant`, label },
    [before.offVariant, after.offVariant],
    `off variant was ${variantText(before.offVariant)}, now ${variantText(after.offVariant)}`,
  ),
  ...targetChanges({ path, label }, before.targets, after.targets),
  ...ruleChanges({ path, label }, before.rules, after.rules),
  ...prerequisiteChanges({ path, label }, before.prerequisites, after.prerequisites),
];

const ownershipText = (isOwn: boolean): string =>
  isOwn
    ? "has its own configuration, so far like the flag's defaults"
    : "follows the flag's defaults again";

const environmentChanges = (
  before: ExistingFlag,
  after: ExistingFlag,
  environment: string,
): readonly Change[] => {
  const scope: Scope = { path: `/environments/${environment}`, label: environment };
  const wasOwn = Object.hasOwn(before.environments, environment);
  const isOwn = Object.hasOwn(after.environments, environment);
  if (!wasOwn && !isOwn) return [];

  const [old, current] = [
    configurationOf(before, environment),
    configurationOf(after, environment),
  ];
  const changes = differences(scope, old, current);
  // Becoming its own is worth a line only when nothing else says so; losing it always is.
  if (wasOwn === isOwn || (isOwn && changes.length > 0)) return changes;
  const values = isOwn ? { after: current } : { before: old };
  return [
    { path: scope.path, ...values, text: `${scope.label}: ${ownershipText(isOwn)}` },
    ...changes,
  ];
};

/** What changed for every environment by default, and in each one with a configuration of its own. */
export const configurationChanges = (
  before: ExistingFlag,
  after: ExistingFlag,
): readonly Change[] => {
  const environments = new Set([before, after].flatMap((flag) => Object.keys(flag.environments)));
  // Sorted, because Postgres keeps the members of a JSON object in an order of its own.
  const inOrder = [...environments].toSorted();
  return [
    ...differences(DEFAULTS, before.defaults, after.defaults),
    ...inOrder.flatMap((environment) => environmentChanges(before, after, environment)),
  ];
};

const byKey = ([left]: [string, unknown], [right]: [string, unknown]): number =>
  left < right ? -1 : 1;

/** The first configurations of a flag, one line each. */
export const firstConfigurations = (flag: ExistingFlag): readonly Change[] =>
  [
    { ...DEFAULTS, configuration: flag.defaults },
    ...Object.entries(flag.environments)
      .toSorted(byKey)
      .map(([environment, configuration]) => ({
        path: `/environments/${environment}`,
        label: environment,
        configuration,
      })),
  ].map(({ path, label, configuration }) => ({
    path,
    after: configuration,
    text: `${label}: ${configurationText(configuration)}`,
  }));

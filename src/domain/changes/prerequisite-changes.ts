import { type Prerequisite } from '../flag/configuration.js';
import { sameJson } from '../json.js';
import { type Change, step } from './change.js';
import { type Scope, within } from './scope.js';

const wantedText = ({ variants }: Prerequisite): string =>
  `must serve ${variants.map((variant) => JSON.stringify(variant)).join(' or ')}`;

/** Prerequisites that came, went or want other variants. */
export const prerequisiteChanges = (
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

import { type RuleServe } from '../flag/configuration.js';
import { sameJson } from '../json.js';
import { type SegmentRule } from '../segment.js';
import { type Change, listed, type Scope, step, within, worded } from './change.js';
import { clausesText, ruleServeText } from './wording.js';

/** A rule of a flag, or one of a segment, which serves nothing. */
type AnyRule = SegmentRule & Readonly<{ serve?: RuleServe }>;
type Rules = readonly AnyRule[];

const ruleText = ({ clauses, serve }: AnyRule): string =>
  `${clausesText(clauses)}${serve === undefined ? '' : ` → ${ruleServeText(serve)}`}`;

const scopeOf = ({ path, label }: Scope, { id }: AnyRule): Scope => ({
  path: `${path}/rules/${step(id)}`,
  label: `${label === '' ? '' : `${label}: `}rule ${JSON.stringify(id)}`,
});

const find = (rules: Rules, id: string): AnyRule | undefined =>
  rules.find((rule) => rule.id === id);

const added = (scope: Scope, rule: AnyRule, next: AnyRule | undefined): Change => {
  const { path, label } = scopeOf(scope, rule);
  const place = next === undefined ? '' : ` before rule ${JSON.stringify(next.id)}`;
  return { path, after: rule, text: `${label} added${place}: ${ruleText(rule)}` };
};

const removed = (scope: Scope, rule: AnyRule): Change => {
  const { path, label } = scopeOf(scope, rule);
  return { path, before: rule, text: `${label} removed, it was: ${ruleText(rule)}` };
};

const changed = (scope: Scope, before: AnyRule, after: AnyRule): readonly Change[] => {
  const { path, label } = scopeOf(scope, after);
  const at = (member: string): Scope => ({ path: `${path}/${member}`, label });
  const [old, current] = [before.serve ?? { variant: null }, after.serve ?? { variant: null }];
  const descriptions = [before.description, after.description] as const;
  const [was, now] = descriptions.map((text) => JSON.stringify(text));
  return [
    ...worded(at('description'), descriptions, `description was ${was ?? ''}, now ${now ?? ''}`),
    ...worded(
      at('clauses'),
      [before.clauses, after.clauses],
      `was for ${clausesText(before.clauses)}, now for ${clausesText(after.clauses)}`,
    ),
    ...worded(
      at('serve'),
      [old, current],
      `served ${ruleServeText(old)}, now ${ruleServeText(current)}`,
    ),
  ];
};

const idsOf = (rules: Rules): readonly string[] => rules.map(({ id }) => id);

/** The one rule whose new place explains the new order; undefined when it takes more than one. */
const movedAlone = (before: readonly string[], after: readonly string[]): string | undefined =>
  after.find((moved) =>
    sameJson(
      before.filter((id) => id !== moved),
      after.filter((id) => id !== moved),
    ),
  );

const orderChanges = (scope: Scope, before: Rules, after: Rules): readonly Change[] => {
  const oldIds = idsOf(before).filter((id) => find(after, id) !== undefined);
  const newIds = idsOf(after).filter((id) => find(before, id) !== undefined);
  if (sameJson(oldIds, newIds)) return [];
  const moved = movedAlone(oldIds, newIds);
  const next = moved === undefined ? undefined : newIds[newIds.indexOf(moved) + 1];
  const place = next === undefined ? 'to the end' : `before rule ${JSON.stringify(next)}`;
  const text =
    moved === undefined
      ? `rules put in another order: ${listed(newIds)}`
      : `rule ${JSON.stringify(moved)} moved ${place}`;
  const path = `${scope.path}/rules`;
  return [{ path, before: oldIds, after: newIds, text: within(scope, text) }];
};

/** Rules that came, went, changed or moved. */
export const ruleChanges = (
  scope: Scope,
  before: Rules = [],
  after: Rules = [],
): readonly Change[] => [
  ...before.filter(({ id }) => find(after, id) === undefined).map((rule) => removed(scope, rule)),
  ...after.flatMap((rule, nth) => {
    const old = find(before, rule.id);
    return old === undefined ? [added(scope, rule, after[nth + 1])] : changed(scope, old, rule);
  }),
  ...orderChanges(scope, before, after),
];

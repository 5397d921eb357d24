import { type ExistingSegment } from '../segment.js';
import { sameJson } from '../json.js';
import { setDifference } from '../targeting/key-lists.js';
import { type Change, listed, valueChange } from './change.js';
import { clausesText } from './wording.js';
import { tagChanges } from './flag-changes.js';
import { ruleChanges } from './rule-changes.js';

const ITSELF = { path: '', label: '' };

const keyChanges = (
  list: 'included' | 'excluded',
  before: readonly string[],
  after: readonly string[],
): readonly Change[] => {
  const { removed, added } = setDifference(before, after);
  const path = `/${list}`;
  const gone = { path, before: removed, text: `${listed(removed)} no longer ${list}` };
  const came = { path, after: added, text: `${listed(added)} ${list}` };
  const changes = [...(removed.length > 0 ? [gone] : []), ...(added.length > 0 ? [came] : [])];
  if (changes.length > 0 || sameJson(before, after)) return changes;
  return [{ path, before, after, text: `${list} keys put in another order` }];
};

const appeared = (segment: ExistingSegment): Change => {
  const { name, included, excluded, rules, status } = segment;
  const first = rules[0] === undefined ? '' : `, the first for ${clausesText(rules[0].clauses)}`;
  const since = status === 'active' ? '' : ', deleted since';
  const keys = `${included.length} included and ${excluded.length} excluded keys`;
  const text = `created as "${name}" with ${keys} and ${rules.length} rules${first}${since}`;
  return { path: '/status', after: status, text };
};

const statusChanges = (before: ExistingSegment, after: ExistingSegment): readonly Change[] =>
  before.status === after.status
    ? []
    : [
        {
          path: '/status',
          before: before.status,
          after: after.status,
          text: after.status === 'deleted' ? 'deleted' : 'restored',
        },
      ];

/** From one state of a segment to another; `undefined` is one that does not exist. Empty when both are equal. */
export const segmentChangesBetween = (
  before: ExistingSegment | undefined,
  after: ExistingSegment | undefined,
): readonly Change[] => {
  if (after === undefined) {
    return before === undefined
      ? []
      : [{ path: '/status', before: before.status, text: 'did not exist' }];
  }
  if (before === undefined) return [appeared(after)];
  return [
    ...statusChanges(before, after),
    ...valueChange('/name', 'name', before.name, after.name),
    ...valueChange('/description', 'description', before.description, after.description),
    ...tagChanges(before.tags, after.tags),
    ...keyChanges('included', before.included, after.included),
    ...keyChanges('excluded', before.excluded, after.excluded),
    ...ruleChanges(ITSELF, before.rules, after.rules),
  ];
};

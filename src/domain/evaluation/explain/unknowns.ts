import {
  type AttributeExplanation,
  type ClauseExplanation,
  type RuleTrial,
  type SegmentExplanation,
  type UnknownClause,
} from './explanation.js';

const inSegments = ({ segments }: SegmentExplanation, place: string): readonly UnknownClause[] =>
  segments.flatMap(({ segment, outcome, because, rules = [] }, index) => {
    const here = `${place}.segments[${index}]`;
    return [
      ...(outcome === 'unknown' ? [{ place: here, name: segment, why: because }] : []),
      ...unknownsIn(rules, here),
    ];
  });

const inAttribute = (
  { attribute, why }: AttributeExplanation,
  place: string,
): readonly UnknownClause[] => (why === undefined ? [] : [{ place, name: attribute, why }]);

const inClause = (clause: ClauseExplanation, place: string): readonly UnknownClause[] => {
  if ('attribute' in clause) return inAttribute(clause, place);
  if ('segments' in clause) return inSegments(clause, place);
  return clause.anyOf.flatMap((member, index) => inClause(member, `${place}.anyOf[${index}]`));
};

/** Every clause that is unknown, with its place below `place`. */
export const unknownsIn = (rules: readonly RuleTrial[], place = ''): readonly UnknownClause[] =>
  rules.flatMap(({ clauses }, rule) =>
    clauses.flatMap((clause, index) => {
      const below = `${place === '' ? '' : `${place}.`}rules[${rule}].clauses[${index}]`;
      return inClause(clause, below);
    }),
  );

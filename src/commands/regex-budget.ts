import { DomainError } from '../domain/decider.js';
import { type Clause, type SimpleClause } from '../domain/targeting/clause.js';
import { type ClausePorts } from '../domain/targeting/valid-clauses.js';

/** Instructions of all regular expressions of a flag's rules in one environment, or of a segment's rules. */
const MOST_INSTRUCTIONS = 5_000;

/** Ports for one command, which compile no more than one list of rules may have. */
export const withRegexBudget = ({ compileRegex }: ClausePorts): ClausePorts => {
  let instructions = 0;
  return {
    compileRegex: (pattern, options) => {
      const compiled = compileRegex(pattern, options);
      instructions += compiled.size;
      if (instructions <= MOST_INSTRUCTIONS) return compiled;
      throw new DomainError(
        'invalid-regex',
        `With it, these rules have regular expressions of ${instructions} instructions; at most ${MOST_INSTRUCTIONS} are allowed in total.`,
      );
    },
  };
};

const simpleClauses = (clause: Clause): readonly SimpleClause[] =>
  'anyOf' in clause ? clause.anyOf : [clause];

const compileAll = (clause: SimpleClause, { compileRegex }: ClausePorts): void => {
  if ('segments' in clause || clause.operator !== 'matches') return;
  for (const value of clause.values)
    compileRegex(String(value), { ignoreCase: clause.ignoreCase === true });
};

type Rules = readonly Readonly<{ clauses: readonly Clause[] }>[];

/** @throws DomainError `invalid-regex` when testing all regular expressions of these rules would cost too much */
export const requireAffordable = (rules: Rules, ports: ClausePorts): void => {
  const bounded = withRegexBudget(ports);
  for (const { clauses } of rules)
    for (const clause of clauses.flatMap(simpleClauses)) compileAll(clause, bounded);
};

import { DomainError } from '../../../domain/decider.js';
import { type Clause } from '../../../domain/targeting/clause.js';
import { requireValidClauses } from '../../../domain/targeting/valid-clauses.js';

/** Whether one rule may hold them: how many clauses, how many values, how long they are. An empty list is valid. */
export const areWithinLimits = (clauses: readonly Clause[]): boolean => {
  try {
    // No clause that an import makes has a regular expression.
    requireValidClauses(clauses, '', { compileRegex: () => ({ size: 1, test: () => false }) });
    return true;
  } catch (error) {
    if (error instanceof DomainError) return false;
    throw error;
  }
};

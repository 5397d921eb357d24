import { type CheckpointStatement } from '../../domain/audit/checkpoint.js';
import { growingTree, type GrowingTree } from '../../domain/audit/merkle.js';

/** Statements by a number in them, so that no event has to look at all of them. */
export const grouped = (
  statements: readonly CheckpointStatement[],
  by: (statement: CheckpointStatement) => number,
): ReadonlyMap<number, readonly CheckpointStatement[]> => {
  const groups = new Map<number, CheckpointStatement[]>();
  for (const statement of statements)
    groups.set(by(statement), [...(groups.get(by(statement)) ?? []), statement]);
  return groups;
};

/** Of which checkpoints the read model has exactly the links that were signed: head, and the root over the span. */
export const witnessedSpans = (checkpoints: readonly CheckpointStatement[]) => {
  const beginning = grouped(checkpoints, ({ from }) => from + 1);
  const growing = new Map<CheckpointStatement, GrowingTree>();
  const authentic = new Set<CheckpointStatement>();
  return {
    add: (sequence: number, hash: string): void => {
      for (const statement of beginning.get(sequence) ?? []) growing.set(statement, growingTree());
      for (const [statement, tree] of growing) {
        tree.add(hash);
        if (sequence < statement.count) continue;
        growing.delete(statement);
        if (hash === statement.head && tree.root() === statement.root) authentic.add(statement);
      }
    },
    isAuthentic: (statement: CheckpointStatement): boolean => authentic.has(statement),
  };
};

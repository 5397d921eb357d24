import { CHAIN_START, type Link, linkAfter, type StoredEvent } from '../../domain/audit/chain.js';
import { type CheckpointStatement } from '../../domain/audit/checkpoint.js';
import { type Position, positionInJson } from '../../domain/position.js';
import { findings, isSameEvent, NOTHING, sum, type Tally } from './findings.js';
import { type Pair } from './pair-up.js';
import { type WitnessedEvent } from './trail-sources.js';
import { grouped, witnessedSpans } from './witnessed-spans.js';

/** How the log's own chain, computed anew, stands to a checkpoint. */
export type Reproduction = 'reproduced' | 'different' | 'too-short';

/** What a comparison of one organization's log with its read model and checkpoints has seen. */
export type Compared = Readonly<{
  head: Link;
  /** Of the last event in the log; -1 without one. */
  position: Position;
  /** Events that the read model does not have yet. */
  unattested: number;
  integrity: Tally;
  completeness: Tally;
  /** Where the read model says other than the log, and a checkpoint shows that the log is right. */
  readModel: Tally;
  reproductionOf: (statement: CheckpointStatement) => Reproduction;
  /** Whether the read model's links are those that were signed. */
  isWitnessAuthentic: (statement: CheckpointStatement) => boolean;
}>;

/** Takes in one organization's events in log order, with a read model at `upTo`; memory does not grow with them. */
export const compareTrail = (
  organization: string,
  checkpoints: readonly CheckpointStatement[],
  upTo: Position,
) => {
  const differences = findings(upTo);
  const spans = witnessedSpans(checkpoints);
  const byCount = grouped(checkpoints, ({ count }) => count);
  const reproductions = new Map<CheckpointStatement, Reproduction>();
  let [log, witness] = [CHAIN_START, CHAIN_START];
  let position: Position = -1;
  let readModel = NOTHING;

  const extendLog = (event: StoredEvent): void => {
    log = linkAfter(log, organization, event);
    position = event.position;
    for (const statement of byCount.get(log.sequence) ?? []) {
      const isSame = statement.head === log.hash && statement.position === positionInJson(position);
      reproductions.set(statement, isSame ? 'reproduced' : 'different');
      if (!isSame) continue;
      const { integrity, completeness } = differences.clear();
      readModel = sum(readModel, integrity, completeness);
    }
  };
  const extendWitness = ({ sequence, hash }: WitnessedEvent): void => {
    witness = { sequence: sequence ?? witness.sequence + 1, hash: hash ?? 'none' };
    spans.add(witness.sequence, witness.hash);
  };
  const isAttested = (event: StoredEvent, { sequence, hash }: WitnessedEvent): boolean => {
    const link = linkAfter(witness, organization, event);
    return link.hash === hash && link.sequence === sequence;
  };

  const compare = (logged?: StoredEvent, witnessed?: WitnessedEvent): void => {
    if (logged && witnessed && isSameEvent(logged, witnessed)) {
      if (!isAttested(logged, witnessed)) differences.altered(witnessed);
      return;
    }
    if (witnessed) differences.strand('witnessed', witnessed);
    if (logged) differences.strand('logged', logged);
  };

  return {
    take: ({ logged, witnessed }: Pair): void => {
      compare(logged, witnessed);
      if (witnessed) extendWitness(witnessed);
      if (logged) extendLog(logged);
    },
    result: (): Compared => ({
      head: log,
      position,
      ...differences.result(),
      readModel,
      reproductionOf: (statement) => reproductions.get(statement) ?? 'too-short',
      isWitnessAuthentic: spans.isAuthentic,
    }),
  };
};

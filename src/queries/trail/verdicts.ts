import { type CheckpointStatement } from '../../domain/audit/checkpoint.js';
import { type Compared } from './compare-trail.js';
import { type Tally } from './findings.js';

/** `unproven`: nothing speaks against it, and nothing that was signed shows it. */
export type Verdict = 'holds' | 'broken' | 'unproven';

export type Judged = Tally & Readonly<{ verdict: Verdict; explanation: string }>;

const judged = (verdict: Verdict, tally: Tally, explanation: string): Judged => ({
  verdict,
  ...tally,
  explanation,
});

const UNSIGNED = 'There is no checkpoint to compare with.';
const reproduces = (count: number): string =>
  `The log reproduces the checkpoint over its first ${count} events.`;

/** Of a log without findings that does not reproduce the checkpoint, although it is long enough. */
const whyDifferent = ({ integrity }: Compared, { position }: CheckpointStatement): Judged =>
  judged(
    'broken',
    integrity,
    `The log does not reproduce the checkpoint, and the read model agrees with the log: something at or before position ${position} is not what was signed.`,
  );

/** Nothing altered, moved or inserted. */
export const judgeIntegrity = (
  compared: Compared,
  checkpoint: CheckpointStatement | undefined,
): Judged => {
  const { integrity, completeness } = compared;
  if (integrity.found > 0)
    return judged('broken', integrity, 'Events are not what, or where, was written.');
  if (checkpoint === undefined) return judged('unproven', integrity, UNSIGNED);
  const reproduction = compared.reproductionOf(checkpoint);
  if (reproduction === 'reproduced')
    return judged('holds', integrity, reproduces(checkpoint.count));
  if (compared.isWitnessAuthentic(checkpoint) && completeness.found > 0)
    return judged('holds', integrity, 'Every event that is left is the one that was signed.');
  return reproduction === 'different'
    ? whyDifferent(compared, checkpoint)
    : judged('unproven', integrity, 'The log ends before the checkpoint.');
};

/** Nothing dropped or cut off. */
export const judgeCompleteness = (
  compared: Compared,
  checkpoint: CheckpointStatement | undefined,
): Judged => {
  const { completeness, integrity, head } = compared;
  if (completeness.found > 0)
    return judged('broken', completeness, 'Events that were written are not there.');
  if (checkpoint === undefined) return judged('unproven', completeness, UNSIGNED);
  const reproduction = compared.reproductionOf(checkpoint);
  if (reproduction === 'reproduced')
    return judged('holds', completeness, reproduces(checkpoint.count));
  if (reproduction === 'too-short') {
    const short = `The checkpoint counts ${checkpoint.count} events, the log has ${head.sequence}.`;
    return judged('broken', { ...completeness, found: checkpoint.count - head.sequence }, short);
  }
  return compared.isWitnessAuthentic(checkpoint) && integrity.found > 0
    ? judged('holds', completeness, 'Every event that was signed is there, though not as it was.')
    : judged('unproven', completeness, 'The log does not reproduce the checkpoint.');
};

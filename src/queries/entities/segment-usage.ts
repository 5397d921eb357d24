import { type Configuration } from '../../domain/flag/configuration.js';
import { type ExistingFlag } from '../../domain/flag/flag.js';
import { type SegmentRule } from '../../domain/segment.js';
import { usedSegments } from '../../domain/targeting/clause.js';
import { type Moment } from '../moments.js';
import { type StateSource } from './entity-at.js';
import { type SegmentAddress } from './kinds.js';

/** A flag whose rules refer to the segment in one environment; `null` stands for the flag's defaults. */
export type FlagUse = Readonly<{
  flag: string;
  status: ExistingFlag['status'];
  environment: string | null;
  /** Ids. */
  rules: readonly string[];
}>;

/** Another segment whose rules refer to the segment. */
export type SegmentUse = Readonly<{ segment: string; rules: readonly string[] }>;

export type SegmentUsage = Readonly<{
  segment: string;
  flags: readonly FlagUse[];
  segments: readonly SegmentUse[];
}>;

const rulesWith = (rules: readonly SegmentRule[] | undefined, segment: string): readonly string[] =>
  (rules ?? [])
    .filter(({ clauses }) => usedSegments(clauses).includes(segment))
    .map(({ id }) => id);

const usesOf = ({ key: flag, status, ...content }: ExistingFlag, segment: string): FlagUse[] => {
  const configurations: readonly (readonly [string | null, Configuration])[] = [
    [null, content.defaults],
    ...Object.entries(content.environments).toSorted(([left], [right]) => (left < right ? -1 : 1)),
  ];
  return configurations
    .map(([environment, { rules }]) => ({
      flag,
      status,
      environment,
      rules: rulesWith(rules, segment),
    }))
    .filter(({ rules }) => rules.length > 0);
};

/**
 * Who uses a segment at a log position: flags and segments that are not deleted.
 * @throws DomainError project-not-found, segment-not-found, segment-not-yet-created
 */
export const segmentUsage =
  (source: Pick<StateSource, 'segment' | 'flags' | 'segments'>) =>
  async (address: SegmentAddress, moment: Moment): Promise<SegmentUsage> => {
    const { key } = await source.segment(address, moment);
    const [flags, segments] = await Promise.all([
      source.flags(address, moment),
      source.segments(address, moment),
    ]);
    return {
      segment: key,
      flags: flags
        .filter(({ state }) => state.status !== 'deleted')
        .flatMap(({ state }) => usesOf(state, key)),
      segments: segments
        .filter(({ state }) => state.status === 'active')
        .map(({ state }) => ({ segment: state.key, rules: rulesWith(state.rules, key) }))
        .filter(({ rules }) => rules.length > 0),
    };
  };

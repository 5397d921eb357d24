import {
  type EnvironmentContents,
  type Ruleset,
  rulesetOf,
  type SegmentDefinition,
  segmentDefinitionOf,
} from '../evaluation/ruleset.js';
import { type FlagEvent } from '../flag/events.js';
import { absentFlag, evolveFlag, type Flag } from '../flag/flag.js';
import { type Recorded } from '../recorded.js';
import { absentSegment, evolveSegment, type Segment, type SegmentEvent } from '../segment.js';
import { usedSegments } from '../targeting/clause.js';
import {
  membershipIn,
  type ServingEntry,
  servingEntry,
  type Surroundings,
  type WrittenFlag,
  writtenFlag,
} from './export.js';
import { Inexpressible } from './expressions.js';

/** Streams as the log has them, from their beginning. */
export type Histories = Readonly<{
  flagHistory: (projectId: string, flagKey: string) => Promise<readonly Recorded<FlagEvent>[]>;
  segmentHistory: (
    projectId: string,
    segmentKey: string,
  ) => Promise<readonly Recorded<SegmentEvent>[]>;
}>;

/** How an environment serves a flag now, as an export writes it; undefined where it cannot be written. */
export type Written = Readonly<{ entry: ServingEntry; parts: WrittenFlag }>;

const attempt = <T>(write: () => T): T | undefined => {
  try {
    return write();
  } catch (error) {
    if (error instanceof Inexpressible) return undefined;
    throw error;
  }
};

const stands = ({ revision, position }: Recorded) => ({ revision, position });

const lastOf = <E>(history: readonly E[]): E | undefined => history.at(-1);

/** Reads flags and segments of a project that an import asks for, each once. */
export const projectHere = (
  { flagHistory, segmentHistory }: Histories,
  projectId: string,
  environment: string,
) => {
  const flags = new Map<string, Ruleset>();
  const segments = new Map<string, SegmentDefinition>();
  const asked = new Set<string>();

  const addSegment = async (key: string): Promise<void> => {
    if (asked.has(`segment ${key}`)) return;
    asked.add(`segment ${key}`);
    const history = await segmentHistory(projectId, key);
    const segment = history.reduce<Segment>(evolveSegment, absentSegment);
    const last = lastOf(history);
    if (segment.status === 'absent' || last === undefined) return;
    const definition = segmentDefinitionOf(segment, stands(last));
    if (definition === undefined) return;
    segments.set(key, definition);
    for (const { clauses } of definition.rules)
      await Promise.all(usedSegments(clauses).map(addSegment));
  };

  const addReferences = async ({ configuration }: Ruleset): Promise<void> => {
    const { rules = [], prerequisites = [] } = configuration;
    for (const { clauses } of rules) await Promise.all(usedSegments(clauses).map(addSegment));
    for (const { flagKey } of prerequisites) {
      if (asked.has(`flag ${flagKey}`)) continue;
      asked.add(`flag ${flagKey}`);
      await addFlag(flagKey, await flagHistory(projectId, flagKey));
    }
  };

  const addFlag = async (
    key: string,
    history: readonly Recorded<FlagEvent>[],
  ): Promise<Ruleset | undefined> => {
    const flag = history.reduce<Flag>(evolveFlag, absentFlag);
    const last = lastOf(history);
    if (flag.status === 'absent' || last === undefined) return undefined;
    const ruleset = rulesetOf(flag, environment, stands(last));
    if (ruleset === undefined) return undefined;
    flags.set(key, ruleset);
    await addReferences(ruleset);
    return ruleset;
  };

  return async (
    key: string,
    history: readonly Recorded<FlagEvent>[],
  ): Promise<Written | undefined> => {
    const ruleset = await addFlag(key, history);
    if (ruleset === undefined) return undefined;
    const contents: EnvironmentContents = { flags, segments };
    const surroundings: Surroundings = { flags, membership: membershipIn(contents.segments) };
    return attempt(() => ({
      entry: servingEntry(ruleset, surroundings),
      parts: writtenFlag(ruleset, surroundings),
    }));
  };
};

import { type Position } from '../domain/position.js';
import { findActors, nameActors } from './audit/actors.js';
import { requireKnownEnvironment } from './audit/audit-filter.js';
import { auditEntry, auditLog } from './audit/audit-log.js';
import { exportAuditLog } from './audit/export-audit-log.js';
import { type Database } from './database.js';
import {
  flagStatesAt,
  getFlag,
  getSegment,
  segmentStatesAt,
  type StateSource,
} from './entities/entity-at.js';
import { flagDiff, segmentDiff } from './entities/entity-diff.js';
import { flagHistory, segmentHistory } from './entities/entity-history.js';
import { listFlags } from './entities/list-flags.js';
import { listSegments } from './entities/list-segments.js';
import { environmentDiff } from './environments/environment-diff.js';
import { logSource } from './log/log-source.js';
import { parkedStreams } from './log/parked-streams.js';
import { type EventLog } from './log/replay.js';
import { type CompareStreams, verifyProject } from './log/verify.js';
import { type IsOthersOnly, type Moment, resolveMoment, waitForPosition } from './moments.js';
import { getOrganization } from './organizations.js';
import { recentAnswers } from './recent-answers.js';
import { getProject, listProjects, type ProjectAddress } from './projects.js';

/** States from the temporal tables: one indexed query each. */
export const readModelSource = (db: Database): StateSource => ({
  organization: getOrganization(db),
  project: getProject(db),
  flag: getFlag(db),
  flags: flagStatesAt(db),
  segment: getSegment(db),
  segments: segmentStatesAt(db),
});

const recentOf = <Address, Answer>(
  ask: (address: Address, moment: Moment) => Promise<Answer>,
): typeof ask => {
  const recent = recentAnswers((asked: Readonly<{ address: Address; moment: Moment }>) =>
    ask(asked.address, asked.moment),
  );
  return (address, moment) => recent({ address, moment });
};

/** A source whose answers about one flag or segment are given again for a moment. */
const recentStates = (source: StateSource): StateSource => ({
  ...source,
  flag: recentOf(source.flag),
  segment: recentOf(source.segment),
});

type QueryOptions = Readonly<{
  /** How long at most to wait for a position. */
  waitMs?: number;
  compareStreams: CompareStreams;
  /** Absent: the log is ours alone. */
  isOthersOnly?: IsOthersOnly;
}>;

/** Every question over one read model and one log. */
export const queriesOver = (
  db: Database,
  log: EventLog,
  { waitMs, compareStreams, isOthersOnly }: QueryOptions,
) => ({
  sources: { 'read-model': recentStates(readModelSource(db)), log: logSource(log, db) },
  resolveMoment: resolveMoment(db, isOthersOnly),
  waitForPosition: waitForPosition(db, {
    ...(waitMs !== undefined && { timeoutMs: waitMs }),
    ...(isOthersOnly && { isOthersOnly }),
  }),
  listProjects: listProjects(db),
  listFlags: recentAnswers(listFlags(db)),
  flagHistory: flagHistory(db),
  flagDiff: flagDiff(db),
  listSegments: recentAnswers(listSegments(db)),
  segmentHistory: segmentHistory(db),
  segmentDiff: segmentDiff(db),
  environmentDiff: environmentDiff(db),
  findActors: findActors(db),
  nameActors: nameActors(db),
  auditEntry: auditEntry(db),
  auditLog: auditLog(db),
  requireKnownEnvironment: requireKnownEnvironment(db),
  exportAuditLog: exportAuditLog(db),
  parkedStreams: parkedStreams(db),
  verifyProject: verifyProject(log, db, compareStreams),
});

export type Queries = ReturnType<typeof queriesOver>;

/** Keys of all flags of a project that are not deleted, in order. What was acknowledged before is among them. */
export const liveFlagKeys =
  (
    {
      sources,
      resolveMoment,
      waitForPosition,
    }: Pick<Queries, 'sources' | 'resolveMoment' | 'waitForPosition'>,
    head: () => Promise<Position>,
  ) =>
  async (address: ProjectAddress): Promise<readonly string[]> => {
    await waitForPosition(await head());
    const flags = await sources['read-model'].flags(address, await resolveMoment({}));
    return flags
      .filter(({ state }) => state.status !== 'deleted')
      .map(({ state }) => state.key)
      .toSorted();
  };

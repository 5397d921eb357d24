import { findActors, nameActors } from './audit/actors.js';
import { requireKnownEnvironment } from './audit/audit-filter.js';
import { auditEntry, auditLog } from './audit/audit-log.js';
import { exportAuditLog } from './audit/export-audit-log.js';
import { type Database } from './database.js';
import { environmentDiff } from './environments/environment-diff.js';
import { flagDiff } from './flags/flag-diff.js';
import { flagHistory } from './flags/flag-history.js';
import { listFlags } from './flags/list-flags.js';
import { type EventLog } from './log/event-log.js';
import { parkedStreams } from './log/parked-streams.js';
import { logSource } from './log/log-source.js';
import { type CompareStreams, verifyProject } from './log/verify-project.js';
import { type IsOthersOnly } from './moments/read-position.js';
import { resolveMoment } from './moments/resolve-moment.js';
import { waitForPosition } from './moments/wait-for-position.js';
import { listProjects } from './projects/list-projects.js';
import { listSegments } from './segments/list-segments.js';
import { segmentDiff } from './segments/segment-diff.js';
import { segmentHistory } from './segments/segment-history.js';
import { readModelSource } from './read-model-source.js';

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
  sources: { 'read-model': readModelSource(db), log: logSource(log, db) },
  resolveMoment: resolveMoment(db, isOthersOnly),
  waitForPosition: waitForPosition(db, {
    ...(waitMs !== undefined && { timeoutMs: waitMs }),
    ...(isOthersOnly && { isOthersOnly }),
  }),
  listProjects: listProjects(db),
  listFlags: listFlags(db),
  flagHistory: flagHistory(db),
  flagDiff: flagDiff(db),
  listSegments: listSegments(db),
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

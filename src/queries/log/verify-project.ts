import { changesBetween, projectChangesBetween } from '../../domain/changes.js';
import { type ExistingFlag } from '../../domain/flag/flag.js';
import { type ExistingProject } from '../../domain/project/project.js';
import { projectIdOf } from '../../domain/streams.js';
import { type Database } from '../database.js';
import { type Moment } from '../moments/resolve-moment.js';
import { decodeCursor, encodeCursor } from '../paging/cursor.js';
import { getProject, type ProjectAddress } from '../projects/get-project.js';
import { type Discrepancy, discrepancies } from './discrepancy.js';
import { type EventLog } from './event-log.js';
import { flagKeys } from './flag-keys.js';
import { inBatches } from './in-batches.js';
import { replayFlag, replayProject } from './replay.js';
import { heldFlag, heldProject } from './held-states.js';

export type Verification = Readonly<{
  /** The log position at which both were compared. */
  position: number;
  flagsChecked: number;
  agree: boolean;
  /** The first few. */
  differences: readonly Discrepancy[];
  /** Null when every flag has been looked at. */
  nextCursor: string | null;
}>;

export type VerifyProject = ProjectAddress & Readonly<{ limit?: number; cursor?: string }>;

const DEFAULT_FLAGS = 200;
const MAX_REPORTED = 20;

/**
 * Compares the states of a project and of a page of its flags with the log, replayed.
 * @throws DomainError project-not-found, project-not-yet-created, invalid-cursor
 */
export const verifyProject =
  (log: EventLog, db: Database) =>
  async (request: VerifyProject, { position }: Moment): Promise<Verification> => {
    const { organizationId, project, limit = DEFAULT_FLAGS, cursor } = request;
    const scope = { list: 'verify', organizationId, project };
    const [after = ''] = cursor === undefined ? [] : decodeCursor(scope, cursor, ['string']);
    await getProject(db)(request, { position });

    const projectId = projectIdOf(organizationId, project);
    const keys = await flagKeys(db)(request, { after: String(after), limit: limit + 1 });
    const page = keys.slice(0, limit);
    const ofProject = discrepancies<ExistingProject>(
      null,
      await heldProject(db)(projectId, position),
      await replayProject(log, projectId, position),
      projectChangesBetween,
    );
    const ofFlags = await inBatches(page, async (key) =>
      discrepancies<ExistingFlag>(
        key,
        await heldFlag(db)(projectId, key, position),
        await replayFlag(log, projectId, key, position),
        changesBetween,
      ),
    );
    const differences = [...ofProject, ...ofFlags.flat()];
    const last = page.at(-1);
    return {
      position,
      flagsChecked: page.length,
      agree: differences.length === 0,
      differences: differences.slice(0, MAX_REPORTED),
      nextCursor: keys.length > limit && last !== undefined ? encodeCursor(scope, [last]) : null,
    };
  };

import { DomainError } from '../../domain/decider.js';
import { projectIdOf } from '../../domain/streams.js';
import { type Database } from '../database.js';
import { type Moment } from '../moments/resolve-moment.js';
import { getProject, type ProjectAddress } from '../projects/get-project.js';
import { SEGMENT_COLUMNS, segmentRevisionAt, type SegmentRow, viewOfRow } from './segment-row.js';
import { type SegmentView } from './segment-view.js';

export type SegmentAddress = ProjectAddress & Readonly<{ segment: string }>;

export const segmentNotFound = ({ project, segment }: SegmentAddress): DomainError =>
  new DomainError(
    'segment-not-found',
    `Project "${project}" has no segment "${segment}", and never had.`,
  );

export const segmentNotYetCreated = ({ segment }: SegmentAddress, createdAt: string): DomainError =>
  new DomainError(
    'segment-not-yet-created',
    `Segment "${segment}" was created at ${createdAt}, after the moment asked for.`,
  );

const AT_POSITION = `
  select ${SEGMENT_COLUMNS}
    from segment s
    left join lateral (${segmentRevisionAt('$3')}) r on true
    left join audit_event e on e.position = r.position_from
   where s.project_id = $1
     and s.key = $2`;

/**
 * The segment at a position as the tables have it; `state` is null when it did not exist yet.
 * @throws DomainError project-not-found, segment-not-found
 */
export const readSegmentRow =
  (db: Database) =>
  async (address: SegmentAddress, moment: Moment): Promise<SegmentRow> => {
    const { organizationId, project, segment } = address;
    const { rows } = await db.query<SegmentRow>({
      organizationId,
      name: 'segment_at',
      text: AT_POSITION,
      values: [projectIdOf(organizationId, project), segment, moment.position],
    });
    const [row] = rows;
    if (row !== undefined) return row;
    await getProject(db)(address, moment);
    throw segmentNotFound(address);
  };

/**
 * A segment as it was at a log position; a deleted one is an answer too.
 * @throws DomainError project-not-found, segment-not-found, segment-not-yet-created
 */
export const getSegment =
  (db: Database) =>
  async (address: SegmentAddress, moment: Moment): Promise<SegmentView> => {
    const row = await readSegmentRow(db)(address, moment);
    if (row.state === null) throw segmentNotYetCreated(address, row.createdAt.toISOString());
    return viewOfRow(row, row.state);
  };

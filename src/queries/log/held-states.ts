import { type ExistingFlag } from '../../domain/flag/flag.js';
import { type Position } from '../../domain/position.js';
import { type ExistingProject } from '../../domain/project/project.js';
import { type ExistingSegment } from '../../domain/segment/segment.js';
import { organizationOf } from '../../domain/streams.js';
import { type Database } from '../database.js';
import { wholeSegmentState } from '../segments/segment-row.js';

/** A state as the read model holds it at a position. */
export type HeldState<State> = Readonly<{ state: State; revision: number; position: Position }>;

type Held<State> = Promise<HeldState<State> | undefined>;

type Identity = Readonly<
  { project_id?: string; organization_id?: string } & Record<string, string>
>;

/** The whole state of a row; a segment's may leave out its lists. */
const STATE = {
  flag_revision: 'h.state',
  segment_revision: wholeSegmentState('h'),
  project_revision: 'h.state',
  organization_revision: 'h.state',
} as const;

/**
 * The latest row of a table of revisions at or before a position. Read by itself, apart from the current tables, so
 * that a missing row there hides nothing. `identity`: columns of the table and what they must be.
 */
const latest = async <State>(
  db: Database,
  table: keyof typeof STATE,
  identity: Identity,
  position: Position,
): Held<State> => {
  const { project_id: projectId, organization_id: organizationId } = identity;
  const columns = Object.keys(identity);
  const isSame = columns.map((column, nth) => `h.${column} = $${nth + 2}`).join(' and ');
  const { rows } = await db.query<HeldState<State>>({
    organizationId: organizationId ?? organizationOf(projectId ?? ''),
    name: `held_${table}`,
    text: `select ${STATE[table]} as state, h.revision::float8 as revision, h.position_from as position
             from ${table} h
            where h.position_from <= $1
              and ${isSame}
            order by h.position_from desc
            limit 1`,
    values: [position, ...Object.values(identity)],
  });
  return rows[0];
};

export const heldFlag =
  (db: Database) =>
  (projectId: string, flag: string, position: Position): Held<ExistingFlag> =>
    latest(db, 'flag_revision', { project_id: projectId, flag_key: flag }, position);

export const heldSegment =
  (db: Database) =>
  (projectId: string, segment: string, position: Position): Held<ExistingSegment> =>
    latest(db, 'segment_revision', { project_id: projectId, segment_key: segment }, position);

export const heldProject =
  (db: Database) =>
  (projectId: string, position: Position): Held<ExistingProject> =>
    latest(db, 'project_revision', { project_id: projectId }, position);

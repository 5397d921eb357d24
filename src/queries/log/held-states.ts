import { type ExistingFlag } from '../../domain/flag/flag.js';
import { type ExistingProject } from '../../domain/project/project.js';
import { type ExistingSegment } from '../../domain/segment/segment.js';
import { type Database } from '../database.js';

/** A state as the read model holds it at a position. */
export type HeldState<State> = Readonly<{ state: State; revision: number; position: number }>;

/** Read by itself, apart from the current tables, so that a missing row there hides nothing. */
export const heldFlag =
  (db: Database) =>
  async (
    projectId: string,
    flag: string,
    position: number,
  ): Promise<HeldState<ExistingFlag> | undefined> => {
    const { rows } = await db.query<HeldState<ExistingFlag>>({
      name: 'held_flag',
      text: `select h.state, h.revision::float8 as revision, h.position_from::float8 as position
               from flag_revision h
              where h.project_id = $1
                and h.flag_key = $2
                and h.position_from <= $3
              order by h.position_from desc
              limit 1`,
      values: [projectId, flag, position],
    });
    return rows[0];
  };

/** As `heldFlag`, of a segment. */
export const heldSegment =
  (db: Database) =>
  async (
    projectId: string,
    segment: string,
    position: number,
  ): Promise<HeldState<ExistingSegment> | undefined> => {
    const { rows } = await db.query<HeldState<ExistingSegment>>({
      name: 'held_segment',
      text: `select h.state, h.revision::float8 as revision, h.position_from::float8 as position
               from segment_revision h
              where h.project_id = $1
                and h.segment_key = $2
                and h.position_from <= $3
              order by h.position_from desc
              limit 1`,
      values: [projectId, segment, position],
    });
    return rows[0];
  };

/** As `heldFlag`, of a project. */
export const heldProject =
  (db: Database) =>
  async (projectId: string, position: number): Promise<HeldState<ExistingProject> | undefined> => {
    const { rows } = await db.query<HeldState<ExistingProject>>({
      name: 'held_project',
      text: `select h.state, h.revision::float8 as revision, h.position_from::float8 as position
               from project_revision h
              where h.project_id = $1
                and h.position_from <= $2
              order by h.position_from desc
              limit 1`,
      values: [projectId, position],
    });
    return rows[0];
  };

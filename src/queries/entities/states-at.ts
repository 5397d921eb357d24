import { projectIdOf } from '../../domain/streams.js';
import { type Database } from '../database.js';
import { type Moment } from '../moments.js';
import { type ProjectAddress } from '../projects.js';
import {
  flagRevisionAt,
  type FlagState,
  segmentRevisionAt,
  type SegmentState,
} from './entity-at.js';

/** Every flag of a project that existed at a position, by key, deleted ones too. */
export const flagStatesAt =
  (db: Database) =>
  async (
    { organizationId, project }: ProjectAddress,
    moment: Moment,
  ): Promise<readonly FlagState[]> => {
    const { rows } = await db.query<FlagState>({
      organizationId,
      name: 'flag_states_at',
      text: `select r.state, r.revision::float8 as revision,
                    r.position_from as position, r.recorded_from as "recordedAt"
               from flag f
              cross join lateral (${flagRevisionAt('$2')}) r
              where f.project_id = $1
              order by f.key`,
      values: [projectIdOf(organizationId, project), moment.position],
    });
    return rows;
  };

/** Every segment of a project that existed at a position, by key, deleted ones too. */
export const segmentStatesAt =
  (db: Database) =>
  async (
    { organizationId, project }: ProjectAddress,
    moment: Moment,
  ): Promise<readonly SegmentState[]> => {
    const { rows } = await db.query<SegmentState>({
      organizationId,
      name: 'segment_states_at',
      text: `select r.state, r.revision::float8 as revision,
                    r.position_from as position, r.recorded_from as "recordedAt"
               from segment s
              cross join lateral (${segmentRevisionAt('$2')}) r
              where s.project_id = $1
              order by s.key`,
      values: [projectIdOf(organizationId, project), moment.position],
    });
    return rows;
  };

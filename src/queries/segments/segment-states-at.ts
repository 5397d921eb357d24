import { projectIdOf } from '../../domain/streams.js';
import { type Database } from '../database.js';
import { type Moment } from '../moments/resolve-moment.js';
import { type ProjectAddress } from '../projects/get-project.js';
import { type SegmentState } from '../state-source.js';
import { segmentRevisionAt } from './segment-row.js';

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

import { projectIdOf } from '../../domain/streams.js';
import { type Database } from '../database.js';
import { type Moment } from '../moments/resolve-moment.js';
import { type ProjectAddress } from '../projects/get-project.js';
import { type FlagState } from '../state-source.js';
import { revisionAt } from './flag-row.js';

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
              cross join lateral (${revisionAt('$2')}) r
              where f.project_id = $1
              order by f.key`,
      values: [projectIdOf(organizationId, project), moment.position],
    });
    return rows;
  };

import { type ExistingFlag } from '../../domain/flag/flag.js';
import { projectIdOf } from '../../domain/streams.js';
import { type Database } from '../database.js';
import { revisionAt } from '../flags/flag-row.js';
import { type Moment } from '../moments/resolve-moment.js';
import { type ProjectAddress } from '../projects/get-project.js';

export type FlagState = {
  key: string;
  createdAt: Date;
  state: ExistingFlag;
  revision: number;
  position: number;
  recordedAt: Date;
};

/** Every flag of a project that existed at a position, by key, deleted ones too. */
export const flagStatesAt =
  (db: Database) =>
  async ({ organizationId, project }: ProjectAddress, moment: Moment): Promise<FlagState[]> => {
    const { rows } = await db.query<FlagState>({
      name: 'flag_states_at',
      text: `select f.key, f.created_at as "createdAt", r.state, r.revision::float8 as revision,
                    r.position_from::float8 as position, r.recorded_from as "recordedAt"
               from flag f
              cross join lateral (${revisionAt('$2')}) r
              where f.project_id = $1
              order by f.key`,
      values: [projectIdOf(organizationId, project), moment.position],
    });
    return rows;
  };

import { type Change, changesInEnvironment } from '../../domain/changes.js';
import { type ExistingFlag } from '../../domain/flag/flag.js';
import { projectIdOf } from '../../domain/streams.js';
import { type Database } from '../database.js';
import { revisionAt } from '../flags/flag-row.js';
import { type Moment } from '../moments/resolve-moment.js';
import { environmentIn } from '../projects/environments-in.js';
import { getProject } from '../projects/get-project.js';
import { type EnvironmentAddress } from './environment-at.js';

/** A flag that applications in the environment see differently; a revision is null before it existed. */
export type ChangedFlag = Readonly<{
  key: string;
  fromRevision: number | null;
  toRevision: number | null;
  changes: readonly Change[];
}>;

export type EnvironmentDiff = Readonly<{
  from: Moment;
  to: Moment;
  /** By key; flags without a difference are left out. */
  flags: readonly ChangedFlag[];
}>;

type Row = {
  key: string;
  fromRevision: number | null;
  toRevision: number | null;
  before: ExistingFlag | null;
  after: ExistingFlag | null;
};

const changedFlag =
  (environment: string) =>
  ({ before, after, ...row }: Row): ChangedFlag => ({
    ...row,
    changes: changesInEnvironment(before ?? undefined, after ?? undefined, environment),
  });

/**
 * What changed for the applications of an environment from one position to another; `to` may be the earlier one.
 * @throws DomainError project-not-found, project-not-yet-created, environment-not-found, for the later of both
 */
export const environmentDiff =
  (db: Database) =>
  async (address: EnvironmentAddress, from: Moment, to: Moment): Promise<EnvironmentDiff> => {
    const later = from.position > to.position ? from : to;
    const { key } = environmentIn(await getProject(db)(address, later), address.environment);
    const { rows } = await db.query<Row>({
      name: 'environment_diff',
      text: `select f.key, b.revision::float8 as "fromRevision", a.revision::float8 as "toRevision",
                    b.state as before, a.state as after
               from flag f
               left join lateral (${revisionAt('$2')}) b on true
               left join lateral (${revisionAt('$3')}) a on true
              where f.project_id = $1
                and a.revision is distinct from b.revision
              order by f.key`,
      values: [projectIdOf(address.organizationId, address.project), from.position, to.position],
    });
    const flags = rows.map(changedFlag(key)).filter(({ changes }) => changes.length > 0);
    return { from, to, flags };
  };

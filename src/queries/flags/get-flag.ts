import { DomainError } from '../../domain/decider.js';
import { projectIdOf } from '../../domain/streams.js';
import { type Database } from '../database.js';
import { type Moment } from '../moments/resolve-moment.js';
import { getProject, type ProjectAddress } from '../projects/get-project.js';
import { FLAG_COLUMNS, type FlagRow, revisionAt, viewOfRow } from './flag-row.js';
import { type FlagView } from './flag-view.js';

export type FlagAddress = ProjectAddress & Readonly<{ flag: string }>;

export const flagNotFound = ({ project, flag }: FlagAddress): DomainError =>
  new DomainError('flag-not-found', `Project "${project}" has no flag "${flag}", and never had.`);

export const flagNotYetCreated = ({ flag }: FlagAddress, createdAt: string): DomainError =>
  new DomainError(
    'flag-not-yet-created',
    `Flag "${flag}" was created at ${createdAt}, after the moment asked for.`,
  );

const AT_POSITION = `
  select ${FLAG_COLUMNS}
    from flag f
    left join lateral (${revisionAt('$3')}) r on true
    left join audit_event e on e.position = r.position_from
   where f.project_id = $1
     and f.key = $2`;

/**
 * The flag at a position as the tables have it; `state` is null when it did not exist yet.
 * @throws DomainError project-not-found, flag-not-found
 */
export const readFlagRow =
  (db: Database) =>
  async (address: FlagAddress, moment: Moment): Promise<FlagRow> => {
    const { organizationId, project, flag } = address;
    const { rows } = await db.query<FlagRow>({
      organizationId,
      name: 'flag_at',
      text: AT_POSITION,
      values: [projectIdOf(organizationId, project), flag, moment.position],
    });
    const [row] = rows;
    if (row !== undefined) return row;
    await getProject(db)(address, moment);
    throw flagNotFound(address);
  };

/**
 * A flag as it was at a log position; a deleted one is an answer too.
 * @throws DomainError project-not-found, flag-not-found, flag-not-yet-created
 */
export const getFlag =
  (db: Database) =>
  async (address: FlagAddress, moment: Moment): Promise<FlagView> => {
    const row = await readFlagRow(db)(address, moment);
    if (row.state === null) throw flagNotYetCreated(address, row.createdAt.toISOString());
    return viewOfRow(row, row.state);
  };

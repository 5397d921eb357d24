import { type Database } from '../database.js';
import { type Moment } from '../moments/resolve-moment.js';
import { environmentIn } from '../projects/environments-in.js';
import { getProject, type ProjectAddress } from '../projects/get-project.js';
import { environmentFlag, type EnvironmentView } from './environment-view.js';
import { flagStatesAt } from './flag-states-at.js';

export type EnvironmentAddress = ProjectAddress & Readonly<{ environment: string }>;

/**
 * Every flag of an environment as it was at a log position, deleted ones left out.
 * @throws DomainError project-not-found, project-not-yet-created, environment-not-found
 */
export const environmentAt =
  (db: Database) =>
  async (address: EnvironmentAddress, moment: Moment): Promise<EnvironmentView> => {
    const project = await getProject(db)(address, moment);
    const environment = environmentIn(project, address.environment);
    const states = await flagStatesAt(db)(address, moment);
    const flags = states
      .filter(({ state }) => state.status !== 'deleted')
      .map((row) => environmentFlag(row.state, environment.key, row));
    return { project: project.key, environment, flags };
  };

import { type Moment } from '../moments/resolve-moment.js';
import { environmentIn } from '../projects/environments-in.js';
import { type ProjectAddress } from '../projects/get-project.js';
import { type StateSource } from '../state-source.js';
import { environmentFlag, type EnvironmentView } from './environment-view.js';

export type EnvironmentAddress = ProjectAddress & Readonly<{ environment: string }>;

/**
 * Every flag of an environment as it was at a log position, deleted ones left out.
 * @throws DomainError project-not-found, project-not-yet-created, environment-not-found
 */
export const environmentAt =
  (source: StateSource) =>
  async (address: EnvironmentAddress, moment: Moment): Promise<EnvironmentView> => {
    const project = await source.project(address, moment);
    const environment = environmentIn(project, address.environment);
    const states = await source.flags(address, moment);
    const flags = states
      .filter(({ state }) => state.status !== 'deleted')
      .map((row) => environmentFlag(row.state, row, environment.key));
    return { project: project.key, environment, flags };
  };

import { type FlagAddress } from '../flags/get-flag.js';
import { type Moment } from '../moments/resolve-moment.js';
import { environmentIn } from '../projects/environments-in.js';
import { type StateSource } from '../state-source.js';
import { type EnvironmentAddress } from './environment-at.js';
import { environmentFlag, type EnvironmentFlag } from './environment-view.js';

/**
 * One flag as it was in one environment; a deleted one is an answer too.
 * @throws DomainError project-not-found, project-not-yet-created, environment-not-found, flag-not-found,
 * flag-not-yet-created
 */
export const flagInEnvironment =
  (source: StateSource) =>
  async (address: FlagAddress & EnvironmentAddress, moment: Moment): Promise<EnvironmentFlag> => {
    const { key } = environmentIn(await source.project(address, moment), address.environment);
    const flag = await source.flag(address, moment);
    return environmentFlag(flag, flag.lastChange, key);
  };

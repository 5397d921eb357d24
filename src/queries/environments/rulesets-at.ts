import { DomainError } from '../../domain/decider.js';
import { type Ruleset, rulesetOf } from '../../domain/evaluation/ruleset.js';
import { type MomentRequest } from '../moments/resolve-moment.js';
import { environmentIn } from '../projects/environments-in.js';
import { type Queries } from '../queries.js';
import { type EnvironmentAddress } from './environment-at.js';

/**
 * What evaluation in an environment stood on at a past moment, all of it at one log position.
 * @throws DomainError project-not-found, project-not-yet-created, environment-not-found, and those of resolveMoment
 */
export const rulesetsAt =
  ({ sources, resolveMoment }: Pick<Queries, 'sources' | 'resolveMoment'>) =>
  async (
    address: EnvironmentAddress,
    asked: MomentRequest,
  ): Promise<Readonly<{ rulesets: readonly Ruleset[]; position: number }>> => {
    const moment = await resolveMoment(asked);
    const source = sources['read-model'];
    const project = await source.project(address, moment);
    const environment = environmentIn(project, address.environment);
    if (project.status === 'deleted' || environment.status === 'deleted') {
      throw new DomainError(
        'environment-not-found',
        `Environment "${environment.key}" of project "${project.key}" was deleted at that moment.`,
      );
    }
    const flags = await source.flags(address, moment);
    const rulesets = flags.flatMap((flag) => rulesetOf(flag.state, environment.key, flag) ?? []);
    return { rulesets, position: moment.position };
  };

import { DomainError } from '../../domain/decider.js';
import { type Ruleset, rulesetOf } from '../../domain/evaluation/ruleset.js';
import { type EnvironmentAddress } from '../environments/environment-at.js';
import { type Moment, type MomentRequest } from '../moments/resolve-moment.js';
import { environmentIn } from '../projects/environments-in.js';
import { type StateSource } from '../state-source.js';

/**
 * The rulesets of an environment as they were at a moment, all taken at its one log position.
 * @throws DomainError for a moment, project or environment that there is not; deleted ones are not evaluated
 */
export const rulesetsAt =
  (
    source: Pick<StateSource, 'project' | 'flags'>,
    resolveMoment: (request: MomentRequest) => Promise<Moment>,
  ) =>
  async (
    address: EnvironmentAddress,
    request: MomentRequest,
  ): Promise<Readonly<{ rulesets: readonly Ruleset[]; position: number }>> => {
    const moment = await resolveMoment(request);
    const project = await source.project(address, moment);
    const { key, status } = environmentIn(project, address.environment);
    if (project.status === 'deleted' || status === 'deleted')
      throw new DomainError('environment-not-found', `Environment "${key}" was deleted then.`);
    const states = await source.flags(address, moment);
    const rulesets = states.map((taken) => rulesetOf(taken.state, key, taken));
    return {
      position: moment.position,
      rulesets: rulesets.filter((ruleset) => ruleset !== undefined),
    };
  };

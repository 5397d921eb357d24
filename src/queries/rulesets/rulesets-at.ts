import { DomainError } from '../../domain/decider.js';
import { type Ruleset, rulesetOf } from '../../domain/evaluation/ruleset.js';
import { type EnvironmentAddress } from '../environments/environment-at.js';
import { parseTime } from '../moments/parse-time.js';
import { type Moment, type MomentRequest } from '../moments/resolve-moment.js';
import { environmentIn } from '../projects/environments-in.js';
import { type StateSource } from '../state-source.js';

/**
 * The rulesets of an environment as they were at a moment, all taken at its one log position. `instantMs` is what was
 * now then: the time asked for, or that of the position.
 * @throws DomainError for a moment, project or environment that there is not; deleted ones are not evaluated
 */
export const rulesetsAt =
  (
    source: Pick<StateSource, 'project' | 'flags'>,
    resolveMoment: (request: MomentRequest) => Promise<Moment>,
    recordedAtPosition: (position: number) => Promise<number>,
  ) =>
  async (
    address: EnvironmentAddress,
    request: MomentRequest,
  ): Promise<Readonly<{ rulesets: readonly Ruleset[]; position: number; instantMs: number }>> => {
    const moment = await resolveMoment(request);
    const project = await source.project(address, moment);
    const { key, status } = environmentIn(project, address.environment);
    if (project.status === 'deleted' || status === 'deleted')
      throw new DomainError('environment-not-found', `Environment "${key}" was deleted then.`);
    const states = await source.flags(address, moment);
    const rulesets = states.map((taken) => rulesetOf(taken.state, key, taken));
    const { at } = request;
    return {
      position: moment.position,
      instantMs:
        at === undefined ? await recordedAtPosition(moment.position) : parseTime(at).floorMs,
      rulesets: rulesets.filter((ruleset) => ruleset !== undefined),
    };
  };

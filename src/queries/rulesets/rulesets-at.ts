import { DomainError } from '../../domain/decider.js';
import { type EnvironmentContents } from '../../domain/evaluation/environment-contents.js';
import { rulesetOf } from '../../domain/evaluation/ruleset.js';
import { segmentDefinitionOf } from '../../domain/evaluation/segment-definition.js';
import { type Position } from '../../domain/position.js';
import { type EnvironmentAddress } from '../environments/environment-at.js';
import { parseTime } from '../moments/parse-time.js';
import { type Moment, type MomentRequest } from '../moments/resolve-moment.js';
import { environmentIn } from '../projects/environments-in.js';
import { type StateSource } from '../state-source.js';
import { byKey } from './by-key.js';

/**
 * Flags and segments of an environment as they were at a moment, all taken at its one log position. `instantMs` is
 * what was now then: the time asked for, or that of the position.
 * @throws DomainError for a moment, project or environment that there is not; deleted ones are not evaluated
 */
export const rulesetsAt =
  (
    source: Pick<StateSource, 'project' | 'flags' | 'segments'>,
    resolveMoment: (request: MomentRequest) => Promise<Moment>,
    recordedAtPosition: (position: Position) => Promise<number>,
  ) =>
  async (
    address: EnvironmentAddress,
    request: MomentRequest,
  ): Promise<
    Readonly<{ contents: EnvironmentContents; position: Position; instantMs: number }>
  > => {
    const moment = await resolveMoment(request);
    const project = await source.project(address, moment);
    const { key, status } = environmentIn(project, address.environment);
    if (project.status === 'deleted' || status === 'deleted')
      throw new DomainError('environment-not-found', `Environment "${key}" was deleted then.`);
    const [flags, segments] = await Promise.all([
      source.flags(address, moment),
      source.segments(address, moment),
    ]);
    const contents = {
      flags: byKey(flags.map((taken) => rulesetOf(taken.state, key, taken))),
      segments: byKey(segments.map((taken) => segmentDefinitionOf(taken.state, taken))),
    };
    const instantMs =
      request.at === undefined
        ? await recordedAtPosition(moment.position)
        : parseTime(request.at).floorMs;
    return { position: moment.position, instantMs, contents };
  };

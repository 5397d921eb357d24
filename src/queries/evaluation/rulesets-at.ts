import { DomainError } from '../../domain/decider.js';
import {
  type EnvironmentContents,
  rulesetOf,
  segmentDefinitionOf,
} from '../../domain/evaluation/ruleset.js';
import { type Position } from '../../domain/position.js';
import { environmentIdOf } from '../../domain/streams.js';
import { type StateSource } from '../entities/entity-at.js';
import { type EnvironmentAddress } from '../environments/environment-state.js';
import { type Moment, type MomentRequest } from '../moments.js';
import { environmentIn } from '../projects.js';
import { parseTime } from '../time.js';
import { type CurrentStates } from './current-states.js';

/** What there is of these, by key. */
const byKey = <T extends Readonly<{ key: string }>>(
  items: readonly (T | undefined)[],
): ReadonlyMap<string, T> =>
  new Map(items.filter((item) => item !== undefined).map((item) => [item.key, item]));

const byProject = <T extends Readonly<{ projectId: string }>>(
  members: readonly T[],
): ReadonlyMap<string, readonly T[]> => {
  const projects = new Map<string, T[]>();
  for (const member of members) {
    const siblings = projects.get(member.projectId);
    if (siblings === undefined) projects.set(member.projectId, [member]);
    else siblings.push(member);
  }
  return projects;
};

/** What every environment that can be evaluated holds, by environmentId. */
export const currentRulesets = ({
  projects,
  ...all
}: CurrentStates): ReadonlyMap<string, EnvironmentContents> => {
  const flags = byProject(all.flags);
  const segments = byProject(all.segments);
  const environments = new Map<string, EnvironmentContents>();
  for (const { projectId, state } of projects.filter(({ state }) => state.status === 'active')) {
    const definitions = (segments.get(projectId) ?? []).map((segment) =>
      segmentDefinitionOf(segment.state, segment),
    );
    for (const { key } of state.environments.filter(({ status }) => status === 'active')) {
      const rulesets = (flags.get(projectId) ?? []).map((flag) => rulesetOf(flag.state, key, flag));
      const contents = { flags: byKey(rulesets), segments: byKey(definitions) };
      environments.set(environmentIdOf(projectId, key), contents);
    }
  }
  return environments;
};

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

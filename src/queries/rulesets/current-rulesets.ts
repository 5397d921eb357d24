import { type EnvironmentContents } from '../../domain/evaluation/environment-contents.js';
import { rulesetOf } from '../../domain/evaluation/ruleset.js';
import { segmentDefinitionOf } from '../../domain/evaluation/segment-definition.js';
import { environmentIdOf } from '../../domain/streams.js';
import { type CurrentStates } from '../load-current-states.js';
import { byKey } from './by-key.js';

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

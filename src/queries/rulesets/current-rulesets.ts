import { type Ruleset, rulesetOf } from '../../domain/evaluation/ruleset.js';
import { environmentIdOf } from '../../domain/streams.js';
import { type CurrentStates } from '../load-current-states.js';

/** The rulesets of every environment that can be evaluated: environmentId → flag key → ruleset. */
export const currentRulesets = ({
  projects,
  flags,
}: CurrentStates): ReadonlyMap<string, ReadonlyMap<string, Ruleset>> => {
  const flagsOf = new Map<string, CurrentStates['flags'][number][]>();
  for (const flag of flags) {
    const siblings = flagsOf.get(flag.projectId);
    if (siblings === undefined) flagsOf.set(flag.projectId, [flag]);
    else siblings.push(flag);
  }
  const environments = new Map<string, ReadonlyMap<string, Ruleset>>();
  for (const { projectId, state } of projects.filter(({ state }) => state.status === 'active')) {
    for (const { key } of state.environments.filter(({ status }) => status === 'active')) {
      const rulesets = (flagsOf.get(projectId) ?? [])
        .map((flag) => rulesetOf(flag.state, key, flag))
        .filter((ruleset) => ruleset !== undefined);
      environments.set(
        environmentIdOf(projectId, key),
        new Map(rulesets.map((ruleset) => [ruleset.key, ruleset])),
      );
    }
  }
  return environments;
};

import { type Command } from '../../domain/decider.js';
import { sameJson } from '../../domain/json.js';
import { type ProjectEvent } from '../../domain/project/events.js';
import { type Project } from '../../domain/project/project.js';
import { type EnvironmentDetails } from './add-environment.js';
import { requireEnvironment } from './guards.js';

/** What is left out stays as it is. */
export type ChangeEnvironmentDetails = Command<
  'ChangeEnvironmentDetails',
  { projectId: string } & EnvironmentDetails
>;

export const changeEnvironmentDetails = (
  { data: { projectId: _, environment, ...change } }: ChangeEnvironmentDetails,
  project: Project,
): readonly ProjectEvent[] => {
  const { name, description, color, isProduction } = requireEnvironment(project, environment);
  const before = { environment, name, description, color, isProduction };
  const wanted = { ...before, ...change };
  return sameJson(before, wanted) ? [] : [{ type: 'EnvironmentDetailsChanged', data: wanted }];
};

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
  const found = requireEnvironment(project, environment);
  const { name, description, color, isProduction, isProtected = false } = found;
  const before = { environment, name, description, color, isProduction, isProtected };
  const wanted = { ...before, ...change };
  if (sameJson(before, wanted)) return [];
  const { isProtected: willBe, ...rest } = wanted;
  // Left out where it never was, as in events from before there was such a thing.
  const isTold = willBe || found.isProtected !== undefined;
  return [{ type: 'EnvironmentDetailsChanged', data: isTold ? wanted : rest }];
};

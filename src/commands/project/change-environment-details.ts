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

/** What an environment did not have in the beginning. */
type Later = Pick<EnvironmentDetails, 'isProtected' | 'allowedOrigins'>;

/** Left out where it never was, as in events from before there was such a thing. */
const told = ({ isProtected, allowedOrigins }: Later, before: Later): Later => ({
  ...((isProtected === true || before.isProtected !== undefined) && { isProtected }),
  ...((allowedOrigins !== null || before.allowedOrigins !== undefined) && { allowedOrigins }),
});

export const changeEnvironmentDetails = (
  { data: { projectId: _, environment, ...change } }: ChangeEnvironmentDetails,
  project: Project,
): readonly ProjectEvent[] => {
  const found = requireEnvironment(project, environment);
  const { name, description, color, isProduction } = found;
  const { isProtected = false, allowedOrigins = null } = found;
  const before = { environment, name, description, color, isProduction };
  const laterBefore = { isProtected, allowedOrigins };
  const wanted = { ...before, ...laterBefore, ...change };
  if (sameJson({ ...before, ...laterBefore }, wanted)) return [];
  const { isProtected: willBe, allowedOrigins: origins, ...rest } = wanted;
  const later = told({ isProtected: willBe, allowedOrigins: origins }, found);
  return [{ type: 'EnvironmentDetailsChanged', data: { ...rest, ...later } }];
};

import { type Command, DomainError } from '../../domain/decider.js';
import { sameJson } from '../../domain/json.js';
import {
  type EnvironmentAdded,
  findEnvironment,
  type Project,
  type ProjectEvent,
} from '../../domain/project.js';
import { requireEnvironment, requireExistingEnvironment, requireProject } from './guards.js';

export type EnvironmentDetails = Readonly<{
  environment: string;
  name?: string;
  description?: string;
  /** `#RRGGBB` */
  color?: string;
  isProduction?: boolean;
  isProtected?: boolean;
  /** Origins of web pages that may evaluate; null: those of the installation. */
  allowedOrigins?: readonly string[] | null;
}>;

const DEFAULT_COLOR = '#3B82F6';

/** Flags start in a new environment with their defaults: disabled, unless told otherwise. */
export type AddEnvironment = Command<'AddEnvironment', { projectId: string } & EnvironmentDetails>;

/** What is only there when it is something. */
const reported = ({
  isProtected = false,
  allowedOrigins = null,
}: Pick<EnvironmentDetails, 'isProtected' | 'allowedOrigins'>) => ({
  ...(isProtected && { isProtected }),
  ...(allowedOrigins !== null && { allowedOrigins }),
});

/** With its defaults. */
const added = ({
  environment,
  name = environment,
  description = '',
  color = DEFAULT_COLOR,
  isProduction = false,
  ...later
}: EnvironmentDetails): EnvironmentAdded['data'] => ({
  ...{ environment, name, description, color, isProduction },
  ...reported(later),
});

export const addEnvironment = (
  { data: { projectId: _, ...details } }: AddEnvironment,
  project: Project,
): readonly ProjectEvent[] => {
  const { environment } = details;
  const taken = findEnvironment(requireProject(project), environment);
  if (taken !== undefined) {
    throw new DomainError(
      'environment-exists',
      `Environment '${environment}' exists already${taken.status === 'deleted' ? ' and is deleted; restore it' : ''}.`,
    );
  }
  return [{ type: 'EnvironmentAdded', data: added(details) }];
};

/** What is left out stays as it is. */
export type ChangeEnvironmentDetails = Command<
  'ChangeEnvironmentDetails',
  { projectId: string } & EnvironmentDetails
>;

/** What an environment did not have in the beginning. */
type Later = Pick<EnvironmentDetails, 'isProtected' | 'allowedOrigins'>;

/** Left out where it never was, as in events from before there was such a thing. */
const changedDetails = ({ isProtected, allowedOrigins }: Later, before: Later): Later => ({
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
  const later = changedDetails({ isProtected: willBe, allowedOrigins: origins }, found);
  return [{ type: 'EnvironmentDetailsChanged', data: { ...rest, ...later } }];
};

/** Nothing is evaluated in it any more; the flags' configurations in it come back with a restore. */
export type DeleteEnvironment = Command<
  'DeleteEnvironment',
  { projectId: string; environment: string }
>;

export const deleteEnvironment = (
  { data: { environment } }: DeleteEnvironment,
  project: Project,
): readonly ProjectEvent[] =>
  requireExistingEnvironment(project, environment).status === 'deleted'
    ? []
    : [{ type: 'EnvironmentDeleted', data: { environment } }];

export type RestoreEnvironment = Command<
  'RestoreEnvironment',
  { projectId: string; environment: string }
>;

export const restoreEnvironment = (
  { data: { environment } }: RestoreEnvironment,
  project: Project,
): readonly ProjectEvent[] =>
  requireExistingEnvironment(project, environment).status === 'active'
    ? []
    : [{ type: 'EnvironmentRestored', data: { environment } }];

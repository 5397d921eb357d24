import { type Command, DomainError } from '../../domain/decider.js';
import { type EnvironmentAdded, type ProjectEvent } from '../../domain/project/events.js';
import { findEnvironment, type Project } from '../../domain/project/project.js';
import { requireProject } from './guards.js';

export type EnvironmentDetails = Readonly<{
  environment: string;
  name?: string;
  description?: string;
  /** `#RRGGBB` */
  color?: string;
  isProduction?: boolean;
  isProtected?: boolean;
  /** Of web pages that may evaluate; null: those of the installation. */
  allowedOrigins?: readonly string[] | null;
}>;

const DEFAULT_COLOR = '#3B82F6';

/** Flags start in a new environment with their defaults: disabled, unless told otherwise. */
export type AddEnvironment = Command<'AddEnvironment', { projectId: string } & EnvironmentDetails>;

/** What is only there when it is something. */
const told = ({
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
  ...told(later),
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

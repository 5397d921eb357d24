import { type Command, DomainError } from '../../domain/decider.js';
import { type ProjectEvent } from '../../domain/project/events.js';
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
const told = ({ isProtected = false, allowedOrigins = null }: EnvironmentDetails) => ({
  ...(isProtected && { isProtected }),
  ...(allowedOrigins !== null && { allowedOrigins }),
});

export const addEnvironment = (
  { data }: AddEnvironment,
  project: Project,
): readonly ProjectEvent[] => {
  const { environment, name = environment, description = '', isProduction = false } = data;
  const taken = findEnvironment(requireProject(project), environment);
  if (taken !== undefined) {
    throw new DomainError(
      'environment-exists',
      `Environment '${environment}' exists already${taken.status === 'deleted' ? ' and is deleted; restore it' : ''}.`,
    );
  }
  const { color = DEFAULT_COLOR } = data;
  const details = { environment, name, description, color, isProduction };
  return [{ type: 'EnvironmentAdded', data: { ...details, ...told(data) } }];
};

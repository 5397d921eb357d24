import { DomainError } from '../../domain/decider.js';
import { type Environment } from '../../domain/project/project.js';
import { type ProjectView } from './project-view.js';

/**
 * An environment of a project as it was then; a deleted one is an answer too.
 * @throws DomainError environment-not-found
 */
export const environmentIn = (
  { key, environments }: Pick<ProjectView, 'key' | 'environments'>,
  environment: string,
): Environment => {
  const found = environments.find((candidate) => candidate.key === environment);
  if (found !== undefined) return found;
  throw new DomainError(
    'environment-not-found',
    `Project "${key}" had no environment "${environment}" at that moment.`,
  );
};

/** Keys of the environments that are not deleted, in the order they were added. */
export const activeEnvironments = ({
  environments,
}: Pick<ProjectView, 'environments'>): readonly string[] =>
  environments.flatMap(({ key, status }) => (status === 'active' ? [key] : []));

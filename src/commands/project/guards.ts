import { DomainError } from '../../domain/decider.js';
import {
  type Environment,
  type ExistingProject,
  findEnvironment,
  type Project,
} from '../../domain/project.js';

/** @throws DomainError `project-not-found` */
export const requireExistingProject = (project: Project): ExistingProject => {
  if (project.status === 'absent') {
    throw new DomainError('project-not-found', 'There is no such project.');
  }
  return project;
};

/** @throws DomainError `project-not-found`, `project-deleted` */
export const requireProject = (project: Project): ExistingProject => {
  const existing = requireExistingProject(project);
  if (existing.status === 'deleted') {
    throw new DomainError(
      'project-deleted',
      `Project '${existing.key}' is deleted; restore it first.`,
    );
  }
  return existing;
};

/** An environment of an active project, deleted or not. @throws DomainError `environment-not-found` */
export const requireExistingEnvironment = (project: Project, environment: string): Environment => {
  const existing = requireProject(project);
  const found = findEnvironment(existing, environment);
  if (found === undefined) {
    throw new DomainError(
      'environment-not-found',
      `Project '${existing.key}' has no environment '${environment}'.`,
    );
  }
  return found;
};

/** @throws DomainError `environment-not-found`, `environment-deleted`, and those of requireProject */
export const requireEnvironment = (project: Project, environment: string): Environment => {
  const found = requireExistingEnvironment(project, environment);
  if (found.status === 'deleted') {
    throw new DomainError(
      'environment-deleted',
      `Environment '${environment}' is deleted; restore it first.`,
    );
  }
  return found;
};

import { type Command, DomainError } from '../../domain/decider.js';
import { type ProjectEvent } from '../../domain/project/events.js';
import { absentProject, evolveProject, type Project } from '../../domain/project/project.js';
import { addEnvironment, type EnvironmentDetails } from './add-environment.js';

export type CreateProject = Command<
  'CreateProject',
  {
    organizationId: string;
    projectId: string;
    key: string;
    name?: string;
    description?: string;
    environments?: readonly EnvironmentDetails[];
  }
>;

export const createProject = (
  { data }: CreateProject,
  project: Project,
): readonly ProjectEvent[] => {
  if (project.status !== 'absent') {
    throw new DomainError(
      'project-exists',
      `Project '${data.key}' exists already${project.status === 'deleted' ? ' and is deleted; restore it' : ''}.`,
    );
  }
  const { organizationId, projectId, key, name = key, description = '', environments = [] } = data;
  const events: ProjectEvent[] = [
    { type: 'ProjectCreated', data: { organizationId, key, name, description } },
  ];
  for (const details of environments) {
    const sofar = events.reduce(evolveProject, absentProject);
    const add = { type: 'AddEnvironment', data: { projectId, ...details } } as const;
    events.push(...addEnvironment(add, sofar));
  }
  return events;
};

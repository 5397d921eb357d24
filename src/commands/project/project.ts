import { type Command, type Decider, DomainError } from '../../domain/decider.js';
import { sameJson } from '../../domain/json.js';
import {
  absentProject,
  evolveProject,
  type Project,
  type ProjectEvent,
} from '../../domain/project.js';
import {
  addEnvironment,
  type AddEnvironment,
  type ChangeEnvironmentDetails,
  changeEnvironmentDetails,
  type DeleteEnvironment,
  deleteEnvironment,
  type EnvironmentDetails,
  type RestoreEnvironment,
  restoreEnvironment,
} from './environments.js';
import { requireExistingProject, requireProject } from './guards.js';

/** What is left out stays as it is. */
type ChangeProjectDetails = Command<
  'ChangeProjectDetails',
  { projectId: string; name?: string; description?: string }
>;

const changeProjectDetails = (
  { data }: ChangeProjectDetails,
  project: Project,
): readonly ProjectEvent[] => {
  const present = requireProject(project);
  const before = { name: present.name, description: present.description };
  const { name = before.name, description = before.description } = data;
  const wanted = { name, description };
  return sameJson(before, wanted) ? [] : [{ type: 'ProjectDetailsChanged', data: wanted }];
};

type CreateProject = Command<
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

const createProject = ({ data }: CreateProject, project: Project): readonly ProjectEvent[] => {
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

/** Nothing in the project is evaluated or changed any more; everything comes back with a restore. */
type DeleteProject = Command<'DeleteProject', { projectId: string }>;

const deleteProject = (_: DeleteProject, project: Project): readonly ProjectEvent[] =>
  requireExistingProject(project).status === 'deleted'
    ? []
    : [{ type: 'ProjectDeleted', data: {} }];

type RestoreProject = Command<'RestoreProject', { projectId: string }>;

const restoreProject = (_: RestoreProject, project: Project): readonly ProjectEvent[] =>
  requireExistingProject(project).status === 'active'
    ? []
    : [{ type: 'ProjectRestored', data: {} }];

export type ProjectCommand =
  | AddEnvironment
  | ChangeEnvironmentDetails
  | ChangeProjectDetails
  | CreateProject
  | DeleteEnvironment
  | DeleteProject
  | RestoreEnvironment
  | RestoreProject;

const decide = (command: ProjectCommand, project: Project): readonly ProjectEvent[] => {
  switch (command.type) {
    case 'AddEnvironment':
      return addEnvironment(command, project);
    case 'ChangeEnvironmentDetails':
      return changeEnvironmentDetails(command, project);
    case 'ChangeProjectDetails':
      return changeProjectDetails(command, project);
    case 'CreateProject':
      return createProject(command, project);
    case 'DeleteEnvironment':
      return deleteEnvironment(command, project);
    case 'DeleteProject':
      return deleteProject(command, project);
    case 'RestoreEnvironment':
      return restoreEnvironment(command, project);
    case 'RestoreProject':
      return restoreProject(command, project);
  }
};

/** Everything that can be asked of a project and its environments. */
export const projectDecider: Decider<Project, ProjectCommand, ProjectEvent> = {
  initialState: absentProject,
  evolve: evolveProject,
  decide,
};

import {
  type Command,
  decideBy,
  type Decider,
  type Decisions,
  DomainError,
} from '../../domain/decider.js';
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

const decisions: Decisions<ProjectCommand, Project, ProjectEvent> = {
  AddEnvironment: addEnvironment,
  ChangeEnvironmentDetails: changeEnvironmentDetails,
  ChangeProjectDetails: changeProjectDetails,
  CreateProject: createProject,
  DeleteEnvironment: deleteEnvironment,
  DeleteProject: deleteProject,
  RestoreEnvironment: restoreEnvironment,
  RestoreProject: restoreProject,
};

/** Everything that can be asked of a project and its environments. */
export const projectDecider: Decider<Project, ProjectCommand, ProjectEvent> = {
  initialState: absentProject,
  evolve: evolveProject,
  decide: decideBy<ProjectCommand, Project, ProjectEvent>(decisions),
};

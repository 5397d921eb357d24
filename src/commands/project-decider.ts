import { type Decider } from '../domain/decider.js';
import { type ProjectEvent } from '../domain/project/events.js';
import { absentProject, evolveProject, type Project } from '../domain/project/project.js';
import { type AddEnvironment, addEnvironment } from './project/add-environment.js';
import {
  type ChangeEnvironmentDetails,
  changeEnvironmentDetails,
} from './project/change-environment-details.js';
import {
  type ChangeProjectDetails,
  changeProjectDetails,
} from './project/change-project-details.js';
import { type CreateProject, createProject } from './project/create-project.js';
import { type DeleteEnvironment, deleteEnvironment } from './project/delete-environment.js';
import { type DeleteProject, deleteProject } from './project/delete-project.js';
import { type RestoreEnvironment, restoreEnvironment } from './project/restore-environment.js';
import { type RestoreProject, restoreProject } from './project/restore-project.js';

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

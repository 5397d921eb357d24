import { type Command } from '../../domain/decider.js';
import { type ProjectEvent } from '../../domain/project/events.js';
import { type Project } from '../../domain/project/project.js';
import { requireExistingProject } from './guards.js';

/** Nothing in the project is evaluated or changed any more; everything comes back with a restore. */
export type DeleteProject = Command<'DeleteProject', { projectId: string }>;

export const deleteProject = (_: DeleteProject, project: Project): readonly ProjectEvent[] =>
  requireExistingProject(project).status === 'deleted'
    ? []
    : [{ type: 'ProjectDeleted', data: {} }];

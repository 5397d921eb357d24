import { type Command } from '../../domain/decider.js';
import { type ProjectEvent } from '../../domain/project/events.js';
import { type Project } from '../../domain/project/project.js';
import { requireExistingProject } from './guards.js';

export type RestoreProject = Command<'RestoreProject', { projectId: string }>;

export const restoreProject = (_: RestoreProject, project: Project): readonly ProjectEvent[] =>
  requireExistingProject(project).status === 'active'
    ? []
    : [{ type: 'ProjectRestored', data: {} }];

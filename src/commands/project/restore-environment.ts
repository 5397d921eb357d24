import { type Command } from '../../domain/decider.js';
import { type ProjectEvent } from '../../domain/project/events.js';
import { type Project } from '../../domain/project/project.js';
import { requireExistingEnvironment } from './guards.js';

export type RestoreEnvironment = Command<
  'RestoreEnvironment',
  { projectId: string; environment: string }
>;

export const restoreEnvironment = (
  { data: { environment } }: RestoreEnvironment,
  project: Project,
): readonly ProjectEvent[] =>
  requireExistingEnvironment(project, environment).status === 'active'
    ? []
    : [{ type: 'EnvironmentRestored', data: { environment } }];

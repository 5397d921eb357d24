import { type Command } from '../../domain/decider.js';
import { type ProjectEvent } from '../../domain/project/events.js';
import { type Project } from '../../domain/project/project.js';
import { requireExistingEnvironment } from './guards.js';

/** Nothing is evaluated in it any more; the flags' configurations in it come back with a restore. */
export type DeleteEnvironment = Command<
  'DeleteEnvironment',
  { projectId: string; environment: string }
>;

export const deleteEnvironment = (
  { data: { environment } }: DeleteEnvironment,
  project: Project,
): readonly ProjectEvent[] =>
  requireExistingEnvironment(project, environment).status === 'deleted'
    ? []
    : [{ type: 'EnvironmentDeleted', data: { environment } }];

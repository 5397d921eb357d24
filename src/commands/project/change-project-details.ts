import { type Command } from '../../domain/decider.js';
import { sameJson } from '../../domain/json.js';
import { type ProjectEvent } from '../../domain/project/events.js';
import { type Project } from '../../domain/project/project.js';
import { requireProject } from './guards.js';

/** What is left out stays as it is. */
export type ChangeProjectDetails = Command<
  'ChangeProjectDetails',
  { projectId: string; name?: string; description?: string }
>;

export const changeProjectDetails = (
  { data }: ChangeProjectDetails,
  project: Project,
): readonly ProjectEvent[] => {
  const present = requireProject(project);
  const before = { name: present.name, description: present.description };
  const { name = before.name, description = before.description } = data;
  const wanted = { name, description };
  return sameJson(before, wanted) ? [] : [{ type: 'ProjectDetailsChanged', data: wanted }];
};

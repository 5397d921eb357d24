import { type Environment, type ExistingProject } from '../../domain/project/project.js';
import { type Fact, type Provenance, provenanceOf, timeText } from '../provenance.js';

/** A project as it was at one log position. */
export type ProjectView = Readonly<{
  key: string;
  name: string;
  description: string;
  status: ExistingProject['status'];
  environments: readonly Environment[];
  /** Of its stream; grows by one with each change. */
  revision: number;
  createdAt: string;
  updatedAt: string;
  /** The event that made it what it was. */
  lastChange: Provenance;
}>;

export const projectView = (
  { status, key, name, description, environments }: ExistingProject,
  createdAt: string | Date,
  last: Fact,
): ProjectView => ({
  key,
  name,
  description,
  status,
  environments,
  revision: last.revision,
  createdAt: timeText(createdAt),
  updatedAt: timeText(last.recordedAt),
  lastChange: provenanceOf(last),
});

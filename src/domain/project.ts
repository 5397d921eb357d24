import { type Event } from './decider.js';

/** What is optional is absent in events from before there was such a thing, and where it never was. */
type EnvironmentContent = {
  environment: string;
  name: string;
  description: string;
  color: string;
  isProduction: boolean;
  isProtected?: boolean;
  /** Origins of web pages that may evaluate; null: those of the installation. */
  allowedOrigins?: readonly string[] | null;
};

// Names and shapes are the storage format: add optional fields, never rename or re-mean.
type ProjectCreated = Event<
  'ProjectCreated',
  { organizationId: string; key: string; name: string; description: string }
>;
type ProjectDetailsChanged = Event<'ProjectDetailsChanged', { name: string; description: string }>;
type ProjectDeleted = Event<'ProjectDeleted', Record<string, never>>;
type ProjectRestored = Event<'ProjectRestored', Record<string, never>>;
export type EnvironmentAdded = Event<'EnvironmentAdded', EnvironmentContent>;
type EnvironmentDetailsChanged = Event<'EnvironmentDetailsChanged', EnvironmentContent>;
type EnvironmentDeleted = Event<'EnvironmentDeleted', { environment: string }>;
type EnvironmentRestored = Event<'EnvironmentRestored', { environment: string }>;

export type ProjectEvent =
  | ProjectCreated
  | ProjectDetailsChanged
  | ProjectDeleted
  | ProjectRestored
  | EnvironmentAdded
  | EnvironmentDetailsChanged
  | EnvironmentDeleted
  | EnvironmentRestored;

export type Environment = Readonly<{
  key: string;
  name: string;
  description: string;
  /** `#RRGGBB`, for people's screens. */
  color: string;
  isProduction: boolean;
  /** What it is served is changed by those only who may do so. Absent: it is not, and never was. */
  isProtected?: boolean;
  /** Origins of web pages that may evaluate. Absent or null: those of the installation. */
  allowedOrigins?: readonly string[] | null;
  status: 'active' | 'deleted';
}>;

/** A project that exists; a deleted one keeps all it had. Environments are in the order they were added. */
export type ExistingProject = Readonly<{
  status: 'active' | 'deleted';
  organizationId: string;
  key: string;
  name: string;
  description: string;
  environments: readonly Environment[];
}>;

export type Project = Readonly<{ status: 'absent' }> | ExistingProject;

export const absentProject: Project = { status: 'absent' };

export const findEnvironment = (
  project: ExistingProject,
  environment: string,
): Environment | undefined => project.environments.find(({ key }) => key === environment);

/** Keys; also of deleted ones, which come back as they were. */
export const protectedEnvironments = ({ environments }: ExistingProject): readonly string[] =>
  environments.flatMap(({ key, isProtected }) => (isProtected === true ? [key] : []));

const environmentOf = ({ environment, ...details }: EnvironmentAdded['data']): Environment => ({
  key: environment,
  ...details,
  status: 'active',
});

const changed = (
  project: ExistingProject,
  environment: string,
  change: Partial<Environment>,
): ExistingProject => ({
  ...project,
  environments: project.environments.map((candidate) =>
    candidate.key === environment ? { ...candidate, ...change } : candidate,
  ),
});

const evolveExisting = (project: ExistingProject, event: ProjectEvent): ExistingProject => {
  switch (event.type) {
    case 'ProjectCreated':
      return { ...event.data, status: 'active', environments: [] };
    case 'ProjectDetailsChanged':
      return { ...project, ...event.data };
    case 'ProjectDeleted':
      return { ...project, status: 'deleted' };
    case 'ProjectRestored':
      return { ...project, status: 'active' };
    case 'EnvironmentAdded':
      return { ...project, environments: [...project.environments, environmentOf(event.data)] };
    case 'EnvironmentDetailsChanged': {
      const { environment, ...details } = event.data;
      return changed(project, environment, details);
    }
    case 'EnvironmentDeleted':
      return changed(project, event.data.environment, { status: 'deleted' });
    case 'EnvironmentRestored':
      return changed(project, event.data.environment, { status: 'active' });
  }
};

/** Folds one event into the state. Trusts history: never validates, never throws. */
export const evolveProject = (project: Project, event: ProjectEvent): Project => {
  if (project.status !== 'absent') return evolveExisting(project, event);
  return event.type === 'ProjectCreated'
    ? { ...event.data, status: 'active', environments: [] }
    : project;
};

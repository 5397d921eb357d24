import { type Grants, may } from '../../domain/access/grants.js';
import { DomainError } from '../../domain/decider.js';
import { changesServed, type Flag } from '../../domain/flag/flag.js';
import { type Project, protectedEnvironments } from '../../domain/project.js';

export const environmentProtected = (
  environment: string,
  what = 'What it is served',
): DomainError =>
  new DomainError(
    'environment-protected',
    `Environment '${environment}' is protected. ${what} is changed by whoever has the permission "protected.write".`,
  );

/** Keys of the environments of a project that these grants leave alone. */
export const closedTo = (grants: Grants, project: Project): readonly string[] =>
  project.status === 'absent' || may(grants, 'protected.write', project.key)
    ? []
    : protectedEnvironments(project);

/** That a change of a flag leaves what protected environments are served. @throws DomainError `environment-protected` */
export const requireOpenFlag = (
  environments: readonly string[],
  { before, after }: Readonly<{ before: Flag; after: Flag }>,
): void => {
  for (const environment of environments)
    if (changesServed(before, after, environment)) throw environmentProtected(environment);
};

import { type Grants } from '../../domain/access/grants.js';
import { type ProjectRoles, type Role } from '../../domain/access/role.js';
import { type Command } from '../../domain/decider.js';
import { type ApiKey, type KeyScope } from '../../domain/organization/api-key.js';
import { type ApiKeyEvent, type ApiKeyKind } from '../../domain/organization/events.js';
import { type Project } from '../../domain/project/project.js';
import { requireWithin } from './api-key-guards.js';
import { type NamedProjects, requireProjects } from './members/guards.js';
import { requireEnvironment } from '../project/guards.js';

/** `prefix` is the part of the key that may be seen and logged; the secret never comes here. */
export type IssueApiKey = Command<
  'IssueApiKey',
  KeyScope & {
    organizationId: string;
    keyId: string;
    kind: ApiKeyKind;
    name: string;
    prefix: string;
    expiresAt?: string;
    /** Of an API token; absent: owner. */
    role?: Role;
    projects?: ProjectRoles;
    /** What the sender may do; absent: everything. */
    by?: Grants;
  }
>;

/**
 * `project`: of an application key.
 * @throws DomainError `forbidden`, `unknown-project`, or when there is no such environment
 */
export const issueApiKey = (
  { data: { organizationId: _, by, ...issued } }: IssueApiKey,
  apiKey: ApiKey,
  { project, named }: Readonly<{ project?: Project | undefined; named: NamedProjects }>,
): readonly ApiKeyEvent[] => {
  const { kind, role = 'owner', projects = {} } = issued;
  if (kind === 'admin') requireWithin({ role, projects }, by);
  requireProjects(projects, named);
  if (project !== undefined) requireEnvironment(project, issued.environment ?? '');
  return apiKey.status === 'absent' ? [{ type: 'ApiKeyIssued', data: issued }] : [];
};

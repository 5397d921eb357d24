import { type Command } from '../../domain/decider.js';
import { type ApiKey, type KeyScope } from '../../domain/organization/api-key.js';
import { type ApiKeyEvent, type ApiKeyKind } from '../../domain/organization/events.js';
import { type Project } from '../../domain/project/project.js';
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
  }
>;

/** `project`: of an application key. @throws DomainError when there is no such environment */
export const issueApiKey = (
  { data: { organizationId: _, ...issued } }: IssueApiKey,
  apiKey: ApiKey,
  project: Project | undefined,
): readonly ApiKeyEvent[] => {
  if (project !== undefined) requireEnvironment(project, issued.environment ?? '');
  return apiKey.status === 'absent' ? [{ type: 'ApiKeyIssued', data: issued }] : [];
};

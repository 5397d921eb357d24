import { type Command } from '../../domain/decider.js';
import { type ApiKey } from '../../domain/organization/api-key.js';
import { type ApiKeyEvent } from '../../domain/organization/events.js';

/** `prefix` is the part of the key that may be seen and logged; the secret never comes here. */
export type IssueApiKey = Command<
  'IssueApiKey',
  { organizationId: string; keyId: string; kind: 'admin'; name: string; prefix: string }
>;

export const issueApiKey = (
  { data: { organizationId: _, ...issued } }: IssueApiKey,
  apiKey: ApiKey,
): readonly ApiKeyEvent[] =>
  apiKey.status === 'absent' ? [{ type: 'ApiKeyIssued', data: issued }] : [];

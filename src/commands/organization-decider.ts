import { type Decider } from '../domain/decider.js';
import { absentApiKey, type ApiKey, evolveApiKey } from '../domain/organization/api-key.js';
import { type ApiKeyEvent, type OrganizationEvent } from '../domain/organization/events.js';
import { type Project } from '../domain/project/project.js';
import {
  absentOrganization,
  evolveOrganization,
  type Organization,
} from '../domain/organization/organization.js';
import { type IssueApiKey, issueApiKey } from './organization/issue-api-key.js';
import {
  type RegisterOrganization,
  registerOrganization,
} from './organization/register-organization.js';
import { type RotateApiKey, rotateApiKey } from './organization/rotate-api-key.js';
import { type RevokeApiKey, revokeApiKey } from './organization/revoke-api-key.js';

export const organizationDecider: Decider<Organization, RegisterOrganization, OrganizationEvent> = {
  initialState: absentOrganization,
  evolve: evolveOrganization,
  decide: registerOrganization,
};

export type ApiKeyCommand = IssueApiKey | RotateApiKey | RevokeApiKey;

/** References: the project of an application key that is to be issued. */
export const apiKeyDecider: Decider<ApiKey, ApiKeyCommand, ApiKeyEvent, Project | undefined> = {
  initialState: absentApiKey,
  evolve: evolveApiKey,
  decide: (command, apiKey, project) => {
    switch (command.type) {
      case 'IssueApiKey':
        return issueApiKey(command, apiKey, project);
      case 'RotateApiKey':
        return rotateApiKey(command, apiKey);
      case 'RevokeApiKey':
        return revokeApiKey(command, apiKey);
    }
  },
};

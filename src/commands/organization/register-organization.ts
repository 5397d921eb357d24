import { type Command } from '../../domain/decider.js';
import { type OrganizationEvent } from '../../domain/organization/events.js';
import { type Organization } from '../../domain/organization/organization.js';

export type RegisterOrganization = Command<
  'RegisterOrganization',
  { organizationId: string; name: string }
>;

export const registerOrganization = (
  { data: { name } }: RegisterOrganization,
  organization: Organization,
): readonly OrganizationEvent[] =>
  organization.status === 'active' ? [] : [{ type: 'OrganizationRegistered', data: { name } }];

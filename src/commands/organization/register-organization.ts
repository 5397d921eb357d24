import { type Command, DomainError } from '../../domain/decider.js';
import { type OrganizationEvent } from '../../domain/organization/events.js';
import { findMember, type Organization } from '../../domain/organization/organization.js';

/** `owner`: absent when a first start registers it. */
export type RegisterOrganization = Command<
  'RegisterOrganization',
  {
    organizationId: string;
    name: string;
    owner?: Readonly<{ userId: string; email: string }>;
  }
>;

/** @throws DomainError `concurrent-change` when the id, which is random, is somebody else's */
export const registerOrganization = (
  { data: { organizationId: _, ...registered } }: RegisterOrganization,
  organization: Organization,
): readonly OrganizationEvent[] => {
  if (organization.status === 'absent')
    return [{ type: 'OrganizationRegistered', data: registered }];
  const { owner } = registered;
  if (owner !== undefined && findMember(organization, owner.userId) === undefined)
    throw new DomainError('concurrent-change', 'The id of the organization was taken; try again.');
  return [];
};

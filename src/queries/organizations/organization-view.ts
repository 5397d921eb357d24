import {
  type ExistingOrganization,
  type Invitation,
  type Member,
} from '../../domain/organization/organization.js';
import { type Fact, type Provenance, provenanceOf, timeText } from '../provenance.js';

/** An organization as it was at one log position. */
export type OrganizationView = Readonly<{
  organizationId: string;
  name: string;
  members: readonly Member[];
  /** Neither accepted nor revoked; they may have expired. */
  invitations: readonly Invitation[];
  /** Of its stream; grows by one with each change. */
  revision: number;
  createdAt: string;
  updatedAt: string;
  /** The event that made it what it was. */
  lastChange: Provenance;
}>;

export const organizationView = (
  organizationId: string,
  { name, members, invitations }: ExistingOrganization,
  createdAt: string | Date,
  last: Fact,
): OrganizationView => ({
  organizationId,
  name,
  members,
  invitations,
  revision: last.revision,
  createdAt: timeText(createdAt),
  updatedAt: timeText(last.recordedAt),
  lastChange: provenanceOf(last),
});

import { type OrganizationEvent } from './events.js';

export type Organization =
  Readonly<{ status: 'absent' }> | Readonly<{ status: 'active'; name: string }>;

export const absentOrganization: Organization = { status: 'absent' };

/** Folds one event into the state. Trusts history: never validates, never throws. */
export const evolveOrganization = (_: Organization, { data }: OrganizationEvent): Organization => ({
  status: 'active',
  name: data.name,
});

import type pg from 'pg';
import { type GrantsOf } from '../../api/caller.js';
import {
  grantsMemory,
  type OrganizationMembers,
} from '../../infrastructure/organizations/grants-memory.js';
import { grantsSupply } from '../../infrastructure/organizations/grants-supply.js';
import { changedOrganizations } from '../../queries/organizations/changed-organizations.js';

export type StartedGrants = Readonly<{
  grantsOf: GrantsOf;
  /** Takes over at once what a command of this process led to. */
  adopt: (organization: OrganizationMembers) => void;
  close: () => Promise<void>;
}>;

/** What all members of all organizations were given, kept fresh. */
export const startGrants = async (pool: pg.Pool): Promise<StartedGrants> => {
  const memory = grantsMemory();
  const supply = grantsSupply({ memory, changedAfter: changedOrganizations(pool) });
  await supply.start();
  return { ...memory, close: supply.close };
};

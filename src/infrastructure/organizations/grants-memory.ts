import { type Grants } from '../../domain/access/grants.js';
import { ROLES } from '../../domain/access/role.js';
import { type Member } from '../../domain/organization/organization.js';
import { type Position } from '../../domain/position.js';

/** The members of an organization as they are since a log position. */
export type OrganizationMembers = Readonly<{
  organizationId: string;
  position: Position;
  members: readonly Pick<Member, 'userId' | 'role' | 'projects'>[];
}>;

type Entry = Readonly<{ position: Position; grants: ReadonlyMap<string, Grants> }>;

/** Most members have no roles in projects: they share these. */
const PLAIN: ReadonlyMap<string, Grants> = new Map(
  ROLES.map((role) => [role, Object.freeze({ role, projects: {} })]),
);

const grantsOf = ({ role, projects }: OrganizationMembers['members'][number]): Grants =>
  (Object.keys(projects).length === 0 ? PLAIN.get(role) : undefined) ?? { role, projects };

/** What every member of every organization was given, so that asking waits for nothing. */
export const grantsMemory = () => {
  const organizations = new Map<string, Entry>();
  return {
    /** Keeps what is newer. */
    adopt: ({ organizationId, position, members }: OrganizationMembers): void => {
      const known = organizations.get(organizationId);
      if (known !== undefined && known.position >= position) return;
      const grants = new Map(members.map((member) => [member.userId, grantsOf(member)]));
      organizations.set(organizationId, { position, grants });
    },

    /** Undefined for those who are no members (any more). */
    grantsOf: (organizationId: string, userId: string): Grants | undefined =>
      organizations.get(organizationId)?.grants.get(userId),
  };
};

export type GrantsMemory = ReturnType<typeof grantsMemory>;

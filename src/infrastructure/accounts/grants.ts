import { type Grants } from '../../domain/access/grants.js';
import { ROLES } from '../../domain/access/permission.js';
import { type Member } from '../../domain/organization.js';
import { type Position } from '../../domain/position.js';
import { repeat, withDeadline } from '../waiting.js';

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

type GrantsMemory = ReturnType<typeof grantsMemory>;

/** With the projector's pace, what another process changed counts here well within a second. */
const POLL_MS = 300;
const POSTGRES_MS = 2_000;

type GrantsSupplyOptions = Readonly<{
  memory: GrantsMemory;
  /** Some of those that changed after a log position, in the order of their positions; none: there are no more. */
  changedAfter: (position: Position) => Promise<readonly OrganizationMembers[]>;
}>;

/** Keeps the grants in memory as they are in the read model; while that is away what was known goes on counting. */
export const grantsSupply = ({ memory, changedAfter }: GrantsSupplyOptions) => {
  const closing = new AbortController();
  let position: Position = -1;

  const refresh = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      const changed = await withDeadline(
        changedAfter(position),
        POSTGRES_MS,
        () => new Error('Postgres did not answer in time.'),
      );
      for (const organization of changed) memory.adopt(organization);
      const last = changed.at(-1);
      if (last === undefined) return;
      position = last.position;
    }
  };

  let polling: Promise<void> | undefined;
  return {
    /** Settles when all that the read model has is known; never rejects: the next look will do. */
    start: async (): Promise<void> => {
      await refresh().catch(() => undefined);
      polling = repeat(refresh, {
        everyMs: POLL_MS,
        signal: closing.signal,
        first: 'after a pause',
      });
    },
    close: async (): Promise<void> => {
      closing.abort();
      await polling;
    },
  };
};

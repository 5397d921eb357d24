import { commandHashOf } from '../commands/streams/event-store.js';
import { DomainError } from '../domain/decider.js';
import { type ExistingOrganization } from '../domain/organization.js';
import { personOf } from '../domain/personal/person.js';
import { type Position, positionInJson } from '../domain/position.js';
import { type ErasureTable } from '../infrastructure/personal-data/erasures.js';
import { type PersonalData } from '../infrastructure/personal-data/personal-data.js';
import { revealingDatabase } from '../infrastructure/personal-data/personal-event-store.js';
import { type SubjectTable } from '../infrastructure/personal-data/subject-table.js';
import { createPool } from '../infrastructure/postgres/postgres.js';
import { getOrganization } from '../queries/organizations.js';
import { knownAbout, type Person, usersOf } from '../queries/personal-data.js';
import { type Queries } from '../queries/queries.js';
import { type PersonalDataRequests } from './ports.js';

type Membership = Pick<ExistingOrganization, 'members' | 'invitations'>;

type RequestDeps = Readonly<{
  databaseUrl: string;
  personal: PersonalData &
    Readonly<{
      find: SubjectTable['find'];
      erasures: Pick<ErasureTable, 'erase' | 'list'>;
      /** Brings erasures into the log that are not there yet. */
      record: () => Promise<unknown>;
      forgetAll: () => void;
    }>;
  queries: Queries;
  head: () => Promise<Position>;
  /** Position that the rulesets of this process stand at. */
  rulesetsAt: () => Position | null;
}>;

const NOBODY: Membership = { members: [], invitations: [] };

const stillMember = (): DomainError =>
  new DomainError(
    'still-member',
    'The person is a member or has an open invitation. Remove the member, or revoke the invitation, first.',
  );

/** Answers what is known about one person, and erases it. With connections of its own, for reading everything. */
export const personalRequests = (deps: RequestDeps) => {
  const { databaseUrl, personal, queries, head } = deps;
  const pool = createPool({ url: databaseUrl, use: 'maintenance', max: 1 });
  const db = revealingDatabase(pool, personal);
  const known = knownAbout(db);

  const membershipIn = async (organizationId: string, position: Position): Promise<Membership> => {
    try {
      return await getOrganization(db)(organizationId, { position });
    } catch (error) {
      if (error instanceof DomainError && error.code === 'organization-not-found') return NOBODY;
      throw error;
    }
  };

  /** The person's own subject, and those of the users that the person is or was. */
  const look = async (organizationId: string, value: string) => {
    const person = personOf(value);
    const { position } = await queries.waitForPosition(await head());
    const own = await personal.find(organizationId, person);
    const { subjectId } = own ?? {};
    const joined = await usersOf(db)(organizationId, { person, subjectId });
    const userIds = [...new Set([...joined, ...(person.startsWith('usr_') ? [person] : [])])];
    const users = await Promise.all(userIds.map((id) => personal.find(organizationId, id)));
    const found = [own, ...users].flatMap((subject) => (subject ? [subject.subjectId] : []));
    const { members, invitations } = await membershipIn(organizationId, position);
    return {
      position,
      persons: [person, ...userIds],
      named: { organizationId, person, subjectIds: [...new Set(found)], userIds } satisfies Person,
      member: members.find((one) => userIds.includes(one.userId)) ?? null,
      invitations: invitations.filter(({ email }) => personOf(email) === person),
    };
  };

  const isRulesetsAt = (position: Position): boolean => (deps.rulesetsAt() ?? -1) >= position;

  const requests: PersonalDataRequests = {
    export: async (organizationId, value) => {
      const { position, named, member, invitations } = await look(organizationId, value);
      const { subjectIds, userIds } = named;
      return { value, position, subjectIds, userIds, member, invitations, ...(await known(named)) };
    },

    erase: async (organizationId, value, { metadata, dryRun }) => {
      const { persons, named, member, invitations } = await look(organizationId, value);
      if (member !== null || invitations.length > 0) throw stillMember();
      const { flags, segments, events } = await known(named);
      const inClear = events.filter(({ isInClear }) => isInClear).length;
      const told = { flags, segments, events: events.length, inClear };
      const { subjectIds } = named;
      if (dryRun) return { result: 'dry-run', subjectIds, ...told };
      const erased = await personal.erasures.erase(
        { organizationId, persons, userIds: named.userIds },
        // The hash of what was asked would tell the value to whoever tries some.
        { ...metadata, commandHash: commandHashOf(metadata.commandId) },
      );
      personal.forgetAll();
      // Once the keys are gone the rest happens by itself; here only sooner.
      await personal.record().catch(() => undefined);
      return { result: erased.length > 0 ? 'erased' : 'unchanged', subjectIds: erased, ...told };
    },

    erasures: async (organizationId) => {
      const { position: reached } = await queries.resolveMoment({});
      const all = await personal.erasures.list(organizationId);
      return all.map((one) => ({
        ...one,
        position: one.position === null ? null : positionInJson(one.position),
        isDone: one.position !== null && one.position <= reached && isRulesetsAt(one.position),
      }));
    },
  };
  return { ...requests, stop: () => pool.end() };
};

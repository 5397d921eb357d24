import { sealedPrefix } from '../../domain/personal/sealed-text.js';
import { type Database } from '../database.js';

/** A user who has, or had, an address. */
export type UserOf = Readonly<{ userId: string }>;

/** Ids of the users who ever joined with the address of these subjects, as the audit trail knows them. */
export const usersOf =
  (db: Database) =>
  async (organizationId: string, subjectId: string): Promise<readonly string[]> => {
    const { rows } = await db.query<UserOf>({
      name: 'users_of_subject',
      text: `select distinct coalesce(e.data ->> 'userId', e.data #>> '{owner,userId}') as "userId"
               from audit_event e
              where e.organization_id = $1
                and e.type in ('MemberJoined', 'OrganizationRegistered')
                and starts_with(coalesce(e.data ->> 'email', e.data #>> '{owner,email}'), $2)`,
      values: [organizationId, sealedPrefix(subjectId)],
    });
    return rows.map(({ userId }) => userId);
  };

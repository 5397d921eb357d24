import { DomainError } from '../../domain/decider.js';
import { type Actor } from '../../domain/recorded.js';
import { type Database } from '../database.js';

/** The organization whose people are named. `seesPeople`: the caller may see e-mail addresses of members. */
export type ActorScope = Readonly<{ organizationId: string; seesPeople: boolean }>;

/** `name`: a member's e-mail address or a key's name; null when there is none, or the caller may not see it. */
export type NamedActor = Actor & Readonly<{ name: string | null }>;

type Known = Readonly<{ id: string; name: string }>;

const ISSUED = `select e.data ->> 'keyId' as id, e.data ->> 'name' as name
                  from audit_event e
                 where e.organization_id = $1
                   and e.type = 'ApiKeyIssued'`;

const JOINED = `select coalesce(e.data ->> 'userId', e.data -> 'owner' ->> 'userId') as id,
                       coalesce(e.data ->> 'email', e.data -> 'owner' ->> 'email') as name
                  from audit_event e
                 where e.organization_id = $1
                   and e.type in ('MemberJoined', 'OrganizationRegistered')`;

/** Everybody who ever joined and every key that was ever issued, or those of them with these ids. */
const known = async (
  db: Database,
  { organizationId, seesPeople }: ActorScope,
  ids?: readonly string[],
): Promise<readonly Known[]> => {
  const { rows } = await db.query<Known>({
    organizationId,
    text: `select a.id, a.name
             from (${seesPeople ? `${JOINED} union all ${ISSUED}` : ISSUED}) a
            where a.id is not null
              and ($2::text[] is null or a.id = any ($2::text[]))`,
    values: [organizationId, ids ?? null],
  });
  return rows;
};

type Did = Readonly<{ actor: Actor }>;

/** Puts a name beside each actor's id. */
export const nameActors =
  (db: Database) =>
  async <Item extends Did>(
    items: readonly Item[],
    scope: ActorScope,
  ): Promise<readonly (Item & Readonly<{ actor: NamedActor }>)[]> => {
    const ids = [...new Set(items.map(({ actor }) => actor.id))];
    const rows = ids.length === 0 ? [] : await known(db, scope, ids);
    const names = new Map(rows.map(({ id, name }) => [id, name]));
    return items.map((item) => ({
      ...item,
      actor: { ...item.actor, name: names.get(item.actor.id) ?? null },
    }));
  };

const comparable = (text: string): string => text.normalize('NFC').toLowerCase();

const hasActed = async (db: Database, organizationId: string, id: string): Promise<boolean> => {
  const { rows } = await db.query({
    name: 'actor_acted',
    text: `select 1 as found
             from audit_event e
            where e.organization_id = $1
              and e.actor_id = $2
            limit 1`,
    values: [organizationId, id],
  });
  return rows.length > 0;
};

/**
 * The ids that a text stands for: itself when it is an actor's id, else those of the members and keys whose e-mail
 * address or name contains it, in any case.
 * @throws DomainError unknown-actor
 */
export const findActors =
  (db: Database) =>
  async (text: string, scope: ActorScope): Promise<readonly string[]> => {
    if (await hasActed(db, scope.organizationId, text)) return [text];
    const wanted = comparable(text);
    const found = (await known(db, scope)).filter(
      ({ id, name }) => id === text || comparable(name).includes(wanted),
    );
    if (found.length > 0) return [...new Set(found.map(({ id }) => id))];
    throw new DomainError(
      'unknown-actor',
      scope.seesPeople
        ? `No member's e-mail address, key's name or id matches "${text}".`
        : `No key's name and no id matches "${text}"; members can be found by id only, without the permission "members.read".`,
    );
  };

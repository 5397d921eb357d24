import { DomainError } from '../../domain/decider.js';
import { type Database } from '../database.js';
import { CATALOGUE, isKnownType } from '../../domain/catalogue.js';
import { type Category } from '../../domain/streams.js';
import { parseTime } from '../time.js';
import { type Condition, type Conditions, conditions, equal } from '../paging.js';

/** All that is given must hold. */
export type AuditFilter = Readonly<{
  project?: string;
  /** Events of these projects only, so none of the organization itself. */
  projects?: readonly string[];
  flag?: string;
  segment?: string;
  category?: Category;
  types?: readonly string[];
  /** Ids of actors: any of them. */
  actors?: readonly string[];
  /** Events about this environment; for a promotion, the one it changed. */
  environment?: string;
  /** RFC 3339, inclusive. */
  from?: string;
  /** RFC 3339, exclusive. */
  to?: string;
  commandId?: string;
  requestId?: string;
}>;

// Times never decrease along positions, so that a time is one step down an index to a position.
const firstAtOrAfter = (parameter: string): string =>
  `(select t.position from audit_event t where t.recorded_at >= ${parameter}
     order by t.recorded_at, t.position limit 1)`;

const instant = (time: string | undefined): Date | undefined =>
  time === undefined ? undefined : new Date(parseTime(time).ceilMs);

/** Says nothing more than the category, but there is an index on types. */
const typesOf = (category: Category | undefined): readonly string[] | undefined =>
  category &&
  Object.keys(CATALOGUE).filter((type) => isKnownType(type) && CATALOGUE[type] === category);

/** Asking for a flag or a segment asks for its category. */
const categoryOf = ({ flag, segment, category }: AuditFilter): Category | undefined => {
  if (flag !== undefined) return 'flag';
  return segment === undefined ? category : 'segment';
};

const conditionsOf = (organizationId: string, filter: AuditFilter): readonly Condition[] => [
  equal('e.organization_id', organizationId),
  equal('e.project_key', filter.project),
  { sql: (parameter) => `e.project_key = any (${parameter}::text[])`, value: filter.projects },
  equal('e.entity_key', filter.flag ?? filter.segment),
  equal('e.category', categoryOf(filter)),
  {
    sql: (parameter) => `e.type = any (${parameter}::text[])`,
    value: filter.types ?? typesOf(filter.category),
  },
  { sql: (parameter) => `e.actor_id = any (${parameter}::text[])`, value: filter.actors },
  equal('e.environment', filter.environment),
  equal(`e.metadata ->> 'commandId'`, filter.commandId),
  equal(`e.metadata ->> 'requestId'`, filter.requestId),
  {
    sql: (parameter) => `e.position >= ${firstAtOrAfter(parameter)}`,
    value: instant(filter.from),
  },
  {
    sql: (parameter) => `e.position < coalesce(${firstAtOrAfter(parameter)}, ${2 ** 53})`,
    value: instant(filter.to),
  },
];

const refuse = (detail: string): never => {
  throw new DomainError('invalid-request', detail);
};

const categoryOfType = (type: string): Category =>
  isKnownType(type)
    ? CATALOGUE[type]
    : refuse(
        `There is no event type "${type}"; docs/events.md has all. Give several as type=A&type=B.`,
      );

/** An empty answer would say that something never happened. @throws DomainError invalid-request */
const requirePossible = (filter: AuditFilter): void => {
  const { flag, segment, category, types = [] } = filter;
  if (flag !== undefined && segment !== undefined)
    refuse('No event is about both a flag and a segment; ask for one of them.');
  const wanted = categoryOf(filter);
  if (category !== undefined && category !== wanted)
    refuse(`What is about a ${wanted} is not of the category "${category}".`);
  const other = types.find((type) => categoryOfType(type) !== (wanted ?? categoryOfType(type)));
  if (other !== undefined)
    refuse(`Events of type ${other} are of the category "${categoryOfType(other)}".`);
};

/** What a filter asks of audit_event e. @throws DomainError malformed-time, invalid-request */
export const auditConditions = (organizationId: string, filter: AuditFilter): Conditions => {
  requirePossible(filter);
  return conditions(conditionsOf(organizationId, filter));
};

type Place = Readonly<{ organizationId: string; project?: string; environment?: string }>;

/** Rejects with invalid-request when no project, or not the one that is named, has ever had the environment. */
export const requireKnownEnvironment =
  (db: Database) =>
  async ({ organizationId, project, environment }: Place): Promise<void> => {
    if (environment === undefined) return;
    const { rows } = await db.query({
      name: 'known_environment',
      text: `select 1
               from project p, jsonb_array_elements(p.state -> 'environments') e
              where p.organization_id = $1
                and ($2::text is null or p.key = $2)
                and e ->> 'key' = $3
              limit 1`,
      values: [organizationId, project ?? null, environment],
    });
    if (rows.length === 0) refuse(`There is no environment "${environment}" here, and never was.`);
  };

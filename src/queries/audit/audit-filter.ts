import { CATALOGUE, isKnownType } from '../../domain/catalogue.js';
import { type Category } from '../../domain/streams.js';
import { parseTime } from '../moments/parse-time.js';
import { type Condition, type Conditions, conditions, equal } from '../paging/conditions.js';

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

/** What a filter asks of audit_event e. @throws DomainError malformed-time */
export const auditConditions = (organizationId: string, filter: AuditFilter): Conditions =>
  conditions(conditionsOf(organizationId, filter));

/** Keys of projects, environments and flags, and names of variants. They never change. */
export const KEY_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$';

export type Category =
  | 'organization'
  | 'project'
  | 'flag'
  | 'segment'
  | 'dependencies'
  | 'apiKey'
  | 'session'
  | 'refusals'
  | 'operations'
  | 'subject';

/** Every category that holds our events; the subscriptions filter by these stream prefixes. */
export const CATEGORIES: readonly Category[] = [
  'organization',
  'project',
  'flag',
  'segment',
  'dependencies',
  'apiKey',
  'subject',
  'session',
  'refusals',
  'operations',
];

/** `<organizationId>:<projectKey>`: unique for ever, because neither part changes. */
export const projectIdOf = (organizationId: string, projectKey: string): string =>
  `${organizationId}:${projectKey}`;

/** The organization that a project's or an environment's id begins with. */
export const organizationOf = (id: string): string => id.slice(0, id.indexOf(':'));

/** `<projectId>:<environmentKey>`: names one environment in the whole installation. */
export const environmentIdOf = (projectId: string, environment: string): string =>
  `${projectId}:${environment}`;

export const organizationStream = (organizationId: string): string =>
  `organization-${organizationId}`;
export const projectStream = (projectId: string): string => `project-${projectId}`;
export const flagStream = (projectId: string, flagKey: string): string =>
  `flag-${projectId}:${flagKey}`;
export const segmentStream = (projectId: string, segmentKey: string): string =>
  `segment-${projectId}:${segmentKey}`;
/** What the flags and segments of a project need of each other. */
export const dependenciesStream = (projectId: string): string => `dependencies-${projectId}`;
export const apiKeyStream = (organizationId: string, keyId: string): string =>
  `apiKey-${organizationId}:${keyId}`;

/** What became of the personal data of one subject. */
export const subjectStream = (organizationId: string, subjectId: string): string =>
  `subject-${organizationId}:${subjectId}`;

/** What happens to a person's account: logins, sessions, the password. */
export const sessionStream = (organizationId: string, userId: string): string =>
  `session-${organizationId}:${userId}`;

/** What a caller tried and was refused. */
export const refusalsStream = (organizationId: string, actorId: string): string =>
  `refusals-${organizationId}:${actorId}`;

/** What happens to a process of the service, or to what its processes share; `organizationId`: of its operators. */
export const operationsStream = (organizationId: string, name: string): string =>
  `operations-${organizationId}:${name}`;

/**
 * What a stream's name tells. `projectKey` is set for what belongs to a project, `key` for flags, segments, API keys and
 * people.
 */
export type StreamParts = Readonly<{
  category: Category;
  organizationId: string;
  projectKey: string | null;
  key: string | null;
}>;

const IN_PROJECTS: readonly Category[] = ['project', 'flag', 'segment', 'dependencies'];

/** How many names, joined by colons, follow the category. */
const NAMES: Readonly<Record<Category, number>> = {
  organization: 1,
  project: 2,
  flag: 3,
  segment: 3,
  dependencies: 2,
  apiKey: 2,
  subject: 2,
  session: 2,
  refusals: 2,
  operations: 2,
};

const isCategory = (text: string): text is Category =>
  (CATEGORIES as readonly string[]).includes(text);

/**
 * Takes a stream's name apart. Undefined when it does not have exactly the shape that we write, so that a stream of
 * another application that only begins like ours is never taken for one.
 */
export const parseStream = (stream: string): StreamParts | undefined => {
  const category = stream.slice(0, Math.max(0, stream.indexOf('-')));
  if (!isCategory(category)) return undefined;
  const names = stream.slice(category.length + 1).split(':');
  if (names.length !== NAMES[category] || names.includes('')) return undefined;
  const [organizationId = '', second = null, third = null] = names;
  return IN_PROJECTS.includes(category)
    ? { category, organizationId, projectKey: second, key: third }
    : { category, organizationId, projectKey: null, key: second };
};

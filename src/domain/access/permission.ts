/** From the widest to the narrowest; `none` in an organization: only what roles in projects give. */
export const ROLES = ['owner', 'admin', 'editor', 'auditor', 'viewer', 'none'] as const;
export type Role = (typeof ROLES)[number];

/** Roles that can be given in one project. */
export const PROJECT_ROLES = ['admin', 'editor', 'auditor', 'viewer'] as const;
type ProjectRole = (typeof PROJECT_ROLES)[number];

/** Project key → role there, next to the role in the whole organization. The wider one counts. */
export type ProjectRoles = Readonly<Record<string, ProjectRole>>;

type Rule = Readonly<{
  /** `project`: a role in a project gives it there; `organization`: only the role in the organization counts. */
  scope: 'organization' | 'project';
  roles: readonly Role[];
  /** What its holder may do, for docs/access.md. */
  means: string;
}>;

const ALL = ['owner', 'admin', 'editor', 'auditor', 'viewer', 'none'] as const;
const READERS = ['owner', 'admin', 'editor', 'auditor', 'viewer'] as const;
const RECORD_READERS = ['owner', 'admin', 'editor', 'auditor'] as const;
const EDITORS = ['owner', 'admin', 'editor'] as const;
const INSPECTORS = ['owner', 'admin', 'auditor'] as const;
const ADMINS = ['owner', 'admin'] as const;

/** Who may do what. Every route names one of these; docs/access.md is made of both. */
export const PERMISSIONS = {
  'own.session': {
    scope: 'organization',
    roles: ALL,
    means: 'look after the own account and sessions',
  },
  'organization.read': { scope: 'organization', roles: ALL, means: 'see the organization' },
  'organization.manage': {
    scope: 'organization',
    roles: ['owner'],
    means: 'rename the organization, hand it over',
  },
  'metrics.read': {
    scope: 'organization',
    roles: ADMINS,
    means: 'read the metrics of the service; only in the organization of the first start',
  },
  'members.read': {
    scope: 'organization',
    roles: INSPECTORS,
    means: 'see members and invitations',
  },
  'members.manage': {
    scope: 'organization',
    roles: ADMINS,
    means: 'invite, change roles, remove; owners only by owners',
  },
  'tokens.read': { scope: 'organization', roles: INSPECTORS, means: 'see API tokens' },
  'tokens.manage': { scope: 'organization', roles: ADMINS, means: 'issue and revoke API tokens' },
  'personal-data.read': {
    scope: 'organization',
    roles: INSPECTORS,
    means: 'export what is known about a person',
  },
  'personal-data.erase': { scope: 'organization', roles: ADMINS, means: 'erase a person' },
  'audit.verify': {
    scope: 'organization',
    roles: INSPECTORS,
    means: 'verify the trail, get proofs and checkpoints',
  },
  'audit.sign': { scope: 'organization', roles: ADMINS, means: 'sign a checkpoint now' },
  'projects.create': { scope: 'organization', roles: ADMINS, means: 'create projects' },
  'audit.read': {
    scope: 'project',
    roles: RECORD_READERS,
    means: 'read and export the audit log and histories, verify the project',
  },
  'project.read': {
    scope: 'project',
    roles: READERS,
    means: 'see all of a project, now and then, but not who changed it',
  },
  'project.evaluate': { scope: 'project', roles: READERS, means: 'evaluate flags, with reasons' },
  'ofrep.evaluate': {
    scope: 'project',
    roles: [],
    means: 'evaluate by OFREP; only application keys may: they say which environment is meant',
  },
  'project.manage': {
    scope: 'project',
    roles: ADMINS,
    means: 'change, delete and restore the project and its environments',
  },
  'flags.write': { scope: 'project', roles: EDITORS, means: 'change flags and segments' },
  'protected.write': {
    scope: 'project',
    roles: ADMINS,
    means: 'change what protected environments serve',
  },
  'keys.read': { scope: 'project', roles: RECORD_READERS, means: 'see application keys' },
  'keys.manage': {
    scope: 'project',
    roles: ADMINS,
    means: 'issue, rotate and revoke application keys',
  },
} as const satisfies Readonly<Record<string, Rule>>;

export type Permission = keyof typeof PERMISSIONS;

const RULES: Readonly<Record<Permission, Rule>> = PERMISSIONS;

/** The rule of a permission: its scope, the roles that have it, and what it means. */
export const ruleOf = (permission: Permission): Rule => RULES[permission];

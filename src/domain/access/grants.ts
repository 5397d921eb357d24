import {
  type Permission,
  PERMISSIONS,
  type ProjectRoles,
  type Role,
  ruleOf,
} from './permission.js';

/** What a caller was given in an organization. */
export type Grants = Readonly<{ role: Role; projects: ProjectRoles }>;

export const NO_GRANTS: Grants = { role: 'none', projects: {} };
export const OWNER_GRANTS: Grants = { role: 'owner', projects: {} };

const NAMES = Object.keys(PERMISSIONS) as readonly Permission[];

const has = (role: Role | undefined, permission: Permission): boolean =>
  role !== undefined && ruleOf(permission).roles.includes(role);

const roleIn = ({ projects }: Grants, project: string): Role | undefined =>
  Object.hasOwn(projects, project) ? projects[project] : undefined;

/**
 * Whether a permission is given: in the project when one is named, in the organization or any project when none is.
 * Whoever asks without a project must then keep to `projectsWith`.
 */
export const may = (grants: Grants, permission: Permission, project?: string): boolean => {
  if (has(grants.role, permission)) return true;
  if (ruleOf(permission).scope === 'organization') return false;
  return project === undefined
    ? Object.values(grants.projects).some((role) => has(role, permission))
    : has(roleIn(grants, project), permission);
};

/** Keys of the projects that a permission is given in; undefined: in all. */
export const projectsWith = (
  grants: Grants,
  permission: Permission,
): readonly string[] | undefined => {
  if (has(grants.role, permission)) return undefined;
  if (ruleOf(permission).scope === 'organization') return [];
  return Object.entries(grants.projects).flatMap(([key, role]) =>
    has(role, permission) ? [key] : [],
  );
};

/** Whether there is anything of a project that may be seen; to all others it does not exist. */
export const seesProject = (grants: Grants, project: string): boolean =>
  may(grants, 'project.read', project);

/** Whether whoever has `own` may do everything that `wanted` gives: nobody gives others more than that. */
export const isWithin = (wanted: Grants, own: Grants): boolean =>
  NAMES.every((name) => {
    if (has(wanted.role, name)) return has(own.role, name);
    return projectsWith(wanted, name)?.every((project) => may(own, name, project)) !== false;
  });

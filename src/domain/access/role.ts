/** From the widest to the narrowest; `none` in an organization: only what roles in projects give. */
export const ROLES = ['owner', 'admin', 'editor', 'auditor', 'viewer', 'none'] as const;
export type Role = (typeof ROLES)[number];

/** Roles that can be given in one project. */
export const PROJECT_ROLES = ['admin', 'editor', 'auditor', 'viewer'] as const;
export type ProjectRole = (typeof PROJECT_ROLES)[number];

/** Project key → role there, next to the role in the whole organization. The wider one counts. */
export type ProjectRoles = Readonly<Record<string, ProjectRole>>;

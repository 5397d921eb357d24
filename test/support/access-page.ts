import { type Grants, may } from '../../src/domain/access/grants.js';
import {
  type Permission,
  PERMISSIONS,
  PROJECT_ROLES,
  ROLES,
  ruleOf,
} from '../../src/domain/access/permission.js';
import { type ApiDocument, operationsOf } from './openapi.js';

/** The project that roles in a project are given in. */
export const HOME = 'demo';

/** What docs/access.md has a column for: every role, in the organization and in one project. */
export const HOLDERS: Readonly<Record<string, Grants>> = Object.fromEntries([
  ...ROLES.map((role) => [role, { role, projects: {} }] as const),
  ...PROJECT_ROLES.map(
    (role) => [`project ${role}`, { role: 'none', projects: { [HOME]: role } }] as const,
  ),
]);

/** The part of the page behind this is made. */
export const MADE =
  '<!-- Made by `npm run docs:access` of src/domain/access/permission.ts and the routes. -->\n';

/** Every operation with the permission that it asks for; undefined: it is open. */
export const guardedRoutes = (document: ApiDocument) =>
  operationsOf(document).map(({ operation, ...route }) => ({
    ...route,
    permission: operation['x-permission'],
    access: operation['x-access'],
  }));

type Route = ReturnType<typeof guardedRoutes>[number];

/** Whether a holder may call a route, in the home project where the route names one. */
export const mayCall = (
  grants: Grants,
  { permission, path }: Readonly<{ permission: Permission; path: string }>,
): boolean => may(grants, permission, path.includes('{project}') ? HOME : undefined);

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
  const widths = head.map((_, column) =>
    Math.max(3, ...[head, ...rows].map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |\n`;
  const rule = widths.map((width) => '-'.repeat(width));
  return [head, rule, ...rows].map(line).join('');
};

const marks = (isGiven: (grants: Grants) => boolean): readonly string[] =>
  Object.values(HOLDERS).map((grants) => (isGiven(grants) ? 'yes' : ''));

const permissionRow = (permission: Permission): readonly string[] => {
  const { scope, means } = ruleOf(permission);
  const project = scope === 'project' ? HOME : undefined;
  return [`\`${permission}\``, ...marks((grants) => may(grants, permission, project)), means];
};

const KEYS: Readonly<Record<string, string>> = {
  evaluation: 'server',
  'bulk-evaluation': 'server, client',
};

const routeRow = ({ method, path, permission, access = '' }: Route): readonly string[] => [
  method,
  `\`${path}\``,
  ...(permission === undefined
    ? ['everybody', ...Object.keys(HOLDERS).map(() => 'yes'), '']
    : [
        `\`${permission}\``,
        ...marks((grants) => mayCall(grants, { permission, path })),
        KEYS[access] ?? '',
      ]),
];

/** The two tables: permissions × roles, and routes × roles. */
export const accessTables = (document: ApiDocument): string => {
  const holders = Object.keys(HOLDERS);
  const permissions = (Object.keys(PERMISSIONS) as Permission[]).map(permissionRow);
  const routes = guardedRoutes(document)
    .toSorted((one, other) => one.path.localeCompare(other.path, 'en'))
    .map(routeRow);
  return [
    '\n## Permissions\n\n',
    table(['permission', ...holders, 'to'], permissions),
    '\n## Routes\n\n',
    table(['method', 'path', 'permission', ...holders, 'application keys'], routes),
  ].join('');
};

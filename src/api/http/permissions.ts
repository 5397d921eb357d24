import { type FastifyContextConfig, type FastifyInstance, type FastifyRequest } from 'fastify';
import { may, projectsWith, seesProject } from '../../domain/access/grants.js';
import { type Permission, ruleOf } from '../../domain/access/permission.js';
import { DomainError } from '../../domain/decider.js';
import { type Caller } from './caller.js';

/** The path's parameter `project`, else the query's. */
const projectNamedBy = ({ params, query }: FastifyRequest): string | undefined => {
  const { project = (query as { project?: unknown }).project } = params as { project?: unknown };
  return typeof project === 'string' ? project : undefined;
};

/** To whoever may see nothing of it, a project does not exist. */
const refusalOf = (
  { grants }: Caller,
  permission: Permission,
  project: string | undefined,
): DomainError | undefined => {
  if (may(grants, permission, project)) return undefined;
  return project === undefined || seesProject(grants, project)
    ? new DomainError(
        'forbidden',
        `This needs the permission "${permission}": ${ruleOf(permission).means}.`,
      )
    : new DomainError('project-not-found', `There is no project "${project}".`);
};

/** For what a request names elsewhere than in its path. @throws DomainError `forbidden`, `project-not-found` */
export const requirePermission = (
  caller: Caller,
  permission: Permission,
  project?: string,
): void => {
  const refusal = refusalOf(caller, permission, project);
  if (refusal !== undefined) throw refusal;
};

/** What a list over projects must keep to: the keys of those in which the caller may do this; none named: all. */
export const visibleTo = (
  { grants }: Caller,
  permission: Permission,
): Readonly<{ projects?: readonly string[] }> => {
  const projects = projectsWith(grants, permission);
  return projects === undefined ? {} : { projects };
};

/** Why a request that the guard let in is refused. */
const refusalTo = (request: FastifyRequest): DomainError | undefined => {
  // Nobody's: the route is open, or the application's key has said all.
  if (request.caller.organizationId === '') return undefined;
  const { permission } = request.routeOptions.config;
  return permission === undefined
    ? new DomainError('forbidden', 'No caller may use this route.')
    : refusalOf(request.caller, permission, projectNamedBy(request));
};

/** Holds every known caller to what was given; comes after the guard, which says who they are. */
export const authorizeRequests = (app: FastifyInstance): void => {
  app.addHook('onRequest', (request, _, done) => {
    done(refusalTo(request));
  });
};

type Declared = Readonly<{
  method: string | readonly string[];
  url: string;
  config?: FastifyContextConfig;
}>;

const isDeclared = ({ config: { access, permission } = {} }: Declared): boolean =>
  permission !== undefined || access === 'public' || access === 'metrics';

const nameOf = ({ method, url }: Declared): string => `${[method].flat().join(', ')} ${url}`;

/**
 * Lets no server start that has a route of which it is not said who may call it. Comes before the routes; looks when
 * all of them are there, because plugins add to what theirs say.
 */
export const requirePermissions = (app: FastifyInstance): void => {
  const routes: Declared[] = [];
  app.addHook('onRoute', (route) => {
    routes.push(route);
  });
  app.addHook('onReady', async () => {
    const open = routes.filter((route) => !isDeclared(route)).map(nameOf);
    if (open.length > 0) throw new Error(`Routes without a permission: ${open.join('; ')}.`);
  });
};

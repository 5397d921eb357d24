import { type FastifyInstance, type FastifyRequest } from 'fastify';
import { may, seesProject } from '../../domain/access/grants.js';
import { DomainError } from '../../domain/decider.js';

/** Of a path's parameter `project`, else of a query's. */
const projectNamedBy = ({ params, query }: FastifyRequest): string | undefined => {
  const { project = (query as { project?: unknown }).project } = params as { project?: unknown };
  return typeof project === 'string' ? project : undefined;
};

/**
 * The error that a request of a known caller ends with; undefined when the caller was given the permission of the
 * route. To whoever may see nothing of it, a project does not exist.
 */
const refusalOf = (request: FastifyRequest): DomainError | undefined => {
  const { permission } = request.routeOptions.config;
  const { grants, organizationId } = request.caller;
  const project = projectNamedBy(request);
  if (permission === undefined || organizationId === '') return undefined;
  if (may(grants, permission, project)) return undefined;
  return project === undefined || seesProject(grants, project)
    ? new DomainError('forbidden', `This needs the permission "${permission}".`)
    : new DomainError('project-not-found', `There is no project "${project}".`);
};

/** Holds every known caller to what was given; comes after the guard, which says who they are. */
export const authorizeRequests = (app: FastifyInstance): void => {
  app.addHook('onRequest', (request, _, done) => {
    done(refusalOf(request));
  });
};

import { type FastifyContextConfig, type FastifyInstance } from 'fastify';

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

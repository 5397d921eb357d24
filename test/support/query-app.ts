import { type FastifyInstance } from 'fastify';
import { type Pool } from 'pg';
import { type Test } from 'tap';
import { buildApp } from '../../src/api/http/build-app.js';
import { queryRoutes } from '../../src/api/all-routes.js';
import { queriesOver } from '../../src/queries/queries.js';
import { comparingWith } from './compared-rows.js';
import { testLogger } from './canary.js';
import { testDatabase } from './database.js';
import { eventLogOf, fillReadModel } from './read-model.js';
import { type Grants, OWNER_GRANTS } from '../../src/domain/access/grants.js';
import { shopLog } from './shop-log.js';

type Answer = Awaited<ReturnType<FastifyInstance['inject']>>;

export type QueryApp = Readonly<{
  app: FastifyInstance;
  db: Pool;
  /** Asks as an organization, `acme` unless said otherwise. */
  ask: (path: string, headers?: Record<string, string>) => Promise<Answer>;
  /** The problem's code and status; fails the test when it is none. */
  refusal: (path: string, headers?: Record<string, string>) => Promise<string>;
}>;

const auditorIn = (project: string): Grants => ({
  role: 'none',
  projects: { [project]: 'auditor' },
});

/**
 * The API's queries over the log of test/support/shop-log.ts. A bearer is the organization's id, for its owner; with
 * a project's key behind a dot, for an auditor of that project.
 */
export const queryApp = async (t: Test): Promise<QueryApp> => {
  const { pool: db } = await testDatabase(t);
  await fillReadModel(db, shopLog);
  const app = await buildApp({
    log: testLogger(),
    guard: {
      authenticate: async (credential) => {
        const [organizationId = '', project] = credential.split('.');
        return {
          organizationId,
          actor: { id: 'tester', type: 'user', authMethod: 'none' },
          grants: project === undefined ? OWNER_GRANTS : auditorIn(project),
        };
      },
      verifyKey: () => undefined,
    },
    routes: [
      ...queryRoutes(
        queriesOver(db, eventLogOf(shopLog), {
          waitMs: 300,
          compareStreams: comparingWith(db, shopLog),
        }),
      ),
    ],
    operations: [],
    version: 'test',
  });
  t.teardown(async () => app.close());
  const ask: QueryApp['ask'] = async (path, headers = {}) =>
    app.inject({ url: `/api/v1${path}`, headers: { authorization: 'Bearer acme', ...headers } });
  return {
    app,
    db,
    ask,
    refusal: async (path, headers) => {
      const answer = await ask(path, headers);
      const { type, status } = answer.json<{ type: string; status: number }>();
      t.match(answer.headers['content-type'], /^application\/problem\+json/, path);
      return `${status} ${type.replace('urn:chronoflag:problem:', '')}`;
    },
  };
};

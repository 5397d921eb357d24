import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { visibleTo } from '../../access/authorize.js';
import { closed, problems } from '../../schemas.js';
import { type PlacedKey, PlacedKeyList, viewOf } from './application-key-schemas.js';
import { unusedForDays } from './lifecycle.js';

export type KeyReport = Readonly<{
  organizationId: string;
  /** Keys of projects to keep to; absent: all. */
  projects?: readonly string[];
  unusedForDays?: number;
}>;

/** Application keys of all projects that the caller may see them of: which could go? */
export const keyReportRoutes =
  (report: (asked: KeyReport) => Promise<readonly PlacedKey[]>): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/keys',
      {
        config: { permission: 'keys.read' },
        schema: {
          tags: ['keys'],
          summary: 'Application keys of the whole organization, or those that nobody uses',
          querystring: Type.Object(unusedForDays, closed),
          response: { 200: PlacedKeyList, ...problems },
        },
      },
      async ({ caller, query }) => {
        const { organizationId } = caller;
        const found = await report({
          organizationId,
          ...visibleTo(caller, 'keys.read'),
          ...query,
        });
        return {
          items: found.map(({ project, environment, ...key }) => ({
            project,
            environment,
            ...viewOf(key),
          })),
        };
      },
    );
  };

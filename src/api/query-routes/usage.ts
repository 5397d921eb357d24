import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { seesProject } from '../../domain/access/grants.js';
import { COUNTED_AGAIN_MS, type Quota, type Quotas } from '../limits/quotas.js';
import { problems } from '../schemas.js';

const Used = Type.Object({
  used: Type.Integer({ minimum: 0 }),
  limit: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()], { description: 'null: none.' }),
});

const UsageAnswer = Type.Object({
  projects: Used,
  members: Used,
  tokens: Used,
  keys: Used,
  bytes: Used,
  byProject: Type.Array(Type.Object({ project: Type.String(), flags: Used, segments: Used })),
});

/** Of each quota, what is used and how much there may be. */
export const usageRoutes =
  ({ limits, organization }: Pick<Quotas, 'limits' | 'organization'>): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/organization/usage',
      {
        config: { permission: 'organization.read' },
        schema: {
          tags: ['organization'],
          summary: 'What is used of each quota, and how much there may be',
          response: { 200: UsageAnswer, ...problems },
        },
      },
      async ({ caller: { organizationId, grants } }) => {
        const tally = organization(organizationId);
        await tally.refresh(COUNTED_AGAIN_MS, true);
        const usage = (quota: Quota, name: string = quota) => ({
          used: tally.used(name),
          limit: limits[quota] ?? null,
        });
        const projects = [...tally.names()]
          .flatMap((name) => (name.startsWith('flags:') ? [name.slice('flags:'.length)] : []))
          .filter((project) => seesProject(grants, project))
          .toSorted();
        return {
          projects: usage('projects'),
          members: usage('members'),
          tokens: usage('tokens'),
          keys: usage('keys'),
          bytes: usage('bytes'),
          byProject: projects.map((project) => ({
            project,
            flags: usage('flags', `flags:${project}`),
            segments: usage('segments', `segments:${project}`),
          })),
        };
      },
    );
  };

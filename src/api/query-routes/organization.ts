import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Position } from '../../domain/position.js';
import { organizationStream } from '../../domain/streams.js';
import { type OrganizationView } from '../../queries/organizations/organization-view.js';
import { type Queries } from '../../queries/queries.js';
import {
  InvitationList,
  MemberList,
  OrganizationAnswer,
} from '../organization/organization-schemas.js';
import {
  awaitPosition,
  type MomentAsked,
  ownMoment,
  query,
  querySchema,
  source,
} from './asking.js';

type Asked = MomentAsked & Readonly<{ source?: 'read-model' | 'log' }>;
type Standing = Readonly<{ view: OrganizationView; revision: number; position: Position }>;

/** The caller's organization, its members and invitations, now and at any past moment. */
export const organizationQueryRoutes =
  (queries: Queries): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.addHook('preHandler', awaitPosition(queries));

    const viewFor = async (
      { caller: { organizationId } }: Pick<FastifyRequest, 'caller'>,
      reply: FastifyReply,
      { source: from = 'read-model', ...asked }: Asked,
    ): Promise<Standing> => {
      const { position } = await queries.resolveMoment(asked, organizationStream(organizationId));
      const view = await queries.sources[from].organization(organizationId, { position });
      const { revision } = view;
      void reply.header('etag', `"${revision}"`).header('x-position', String(position));
      return { view, revision, position };
    };
    const querystring = query({ ...ownMoment, ...source });

    app.get(
      '/organization',
      {
        config: { permission: 'organization.read' },
        schema: {
          ...querySchema(
            'organization',
            'The organization, now or at a moment',
            OrganizationAnswer,
          ),
          querystring,
        },
      },
      async (request, reply) => {
        const { view, ...standing } = await viewFor(request, reply, request.query);
        const { organizationId, name, createdAt, updatedAt } = view;
        return { organizationId, name, createdAt, updatedAt, ...standing };
      },
    );

    app.get(
      '/members',
      {
        config: { permission: 'members.read' },
        schema: {
          ...querySchema(
            'organization',
            'Members with their roles, now or at a moment',
            MemberList,
          ),
          querystring,
        },
      },
      async (request, reply) => {
        const { view, ...standing } = await viewFor(request, reply, request.query);
        return { items: [...view.members], ...standing };
      },
    );

    app.get(
      '/invitations',
      {
        config: { permission: 'members.read' },
        schema: {
          ...querySchema('organization', 'Open invitations, now or at a moment', InvitationList),
          querystring,
        },
      },
      async (request, reply) => {
        const { view, ...standing } = await viewFor(request, reply, request.query);
        return { items: [...view.invitations], ...standing };
      },
    );
  };

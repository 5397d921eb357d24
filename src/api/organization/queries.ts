import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { seesProject } from '../../domain/access/grants.js';
import { type Position } from '../../domain/position.js';
import { organizationStream } from '../../domain/streams.js';
import { type OrganizationView } from '../../queries/organizations.js';
import { type Queries } from '../../queries/queries.js';
import {
  awaitPosition,
  type MomentAsked,
  ownMoment,
  query,
  querySchema,
  source,
} from '../http/query-route.js';
import { answerOf, problems } from '../http/schemas.js';
import { COUNTED_AGAIN_MS, type Quota, type Quotas } from '../limits/quotas.js';
import { InvitationList, MemberList, OrganizationAnswer } from './schemas.js';

/** Where an invitation's link leads; the token is behind the `#`, so no server and no log sees it. */
const ACCEPT_PATH = '/invitations/accept';

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>Accept your invitation · Chronoflag</title>
<script type="module" src="accept.js"></script>
</head>
<body>
<main>
<h1>Accept your invitation</h1>
<p id="status" role="status">This page needs JavaScript. Without it, send {"token", "password"} to this address.</p>
<form id="form" hidden>
<p><label for="password">Choose a password</label><br>
<input id="password" type="password" autocomplete="new-password" required></p>
<p><button>Join</button></p>
</form>
</main>
</body>
</html>
`;

const SCRIPT = `const form = document.querySelector('#form');
const status = document.querySelector('#status');
const say = (text) => { status.textContent = text; };
const token = location.hash.slice(1);
history.replaceState(null, '', location.pathname);
if (token === '') {
  say('This link is incomplete: the invitation is the part behind "#". Open the whole link.');
} else {
  say('You were invited to Chronoflag.');
  form.hidden = false;
}
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const button = form.querySelector('button');
  button.disabled = true;
  try {
    const answer = await fetch(location.pathname, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token, password: document.querySelector('#password').value }),
    });
    const body = await answer.json();
    if (!answer.ok) say(body.detail ?? body.title);
    else {
      form.hidden = true;
      say('You joined. Log in with your e-mail address and the organization ' + body.organizationId + '.');
    }
  } catch {
    say('The service did not answer. Try again.');
  } finally {
    button.disabled = false;
  }
});
`;

const schemaOf = (summary: string, kind: string) => ({
  tags: ['organization'],
  summary,
  security: [],
  response: { 200: answerOf(summary, { [kind]: Type.String() }), ...problems },
});

/** The page behind an invitation's link: it asks for a password and accepts. */
export const acceptPage: FastifyPluginAsyncTypebox = async (app) => {
  const config = { access: 'public' } as const;
  app.get(
    ACCEPT_PATH,
    { config, schema: schemaOf('The page behind an invitation', 'text/html') },
    async (_, reply) => reply.type('text/html; charset=utf-8').send(PAGE),
  );
  app.get(
    `${ACCEPT_PATH}.js`,
    { config, schema: schemaOf('The script of that page', 'text/javascript') },
    async (_, reply) => reply.type('text/javascript; charset=utf-8').send(SCRIPT),
  );
};

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
          summary: 'Usage and limit of each quota',
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

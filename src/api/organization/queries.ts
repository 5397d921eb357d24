import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { seesProject } from '../../domain/access/grants.js';
import { type Position } from '../../domain/position.js';
import { organizationStream } from '../../domain/streams.js';
import { type OrganizationView } from '../../queries/organizations.js';
import { type Queries } from '../../queries/queries.js';
import {
  type MomentAsked,
  ownMoment,
  queryRouter,
  readingOf,
  source,
} from '../http/query-route.js';
import { router } from '../http/route.js';
import { answerOf } from '../http/schemas.js';
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

const pageOf = (summary: string, kind: string) => ({
  security: [] as const,
  answer: Type.Unsafe<FastifyReply>(answerOf(summary, { [kind]: Type.String() })),
});

/** The page behind an invitation's link: it asks for a password and accepts. */
export const acceptPage: FastifyPluginAsyncTypebox = async (app) => {
  const route = router(app, { tag: 'organization', access: 'public' });

  const [page, script] = ['The page behind an invitation', 'The script of that page'];
  route('GET', ACCEPT_PATH, page, {
    ...pageOf(page, 'text/html'),
    run: async (_, reply) => reply.type('text/html; charset=utf-8').send(PAGE),
  });

  route('GET', `${ACCEPT_PATH}.js`, script, {
    ...pageOf(script, 'text/javascript'),
    run: async (_, reply) => reply.type('text/javascript; charset=utf-8').send(SCRIPT),
  });
};

type Asked = MomentAsked & Readonly<{ source?: 'read-model' | 'log' }>;
type Standing = Readonly<{ view: OrganizationView; revision: number; position: Position }>;

/** The caller's organization, its members and invitations, now and at any past moment. */
export const organizationQueryRoutes =
  (queries: Queries): FastifyPluginAsyncTypebox =>
  async (app) => {
    const query = queryRouter(app, queries, { tag: 'organization', permission: 'members.read' });

    const viewFor = async (
      { caller: { organizationId } }: Pick<FastifyRequest, 'caller'>,
      reply: FastifyReply,
      asked: Asked,
    ): Promise<Standing> => {
      const stream = organizationStream(organizationId);
      const { source, then } = await readingOf(queries, asked, stream);
      const { position } = then;
      const view = await source.organization(organizationId, { position });
      const { revision } = view;
      void reply.header('etag', `"${revision}"`).header('x-position', String(position));
      return { view, revision, position };
    };
    const asked = { ...ownMoment, ...source };

    query('/organization', 'The organization, now or at a moment', {
      permission: 'organization.read',
      query: asked,
      answer: OrganizationAnswer,
      run: async (request, reply) => {
        const { view, ...standing } = await viewFor(request, reply, request.query);
        const { organizationId, name, createdAt, updatedAt } = view;
        return { organizationId, name, createdAt, updatedAt, ...standing };
      },
    });

    query('/members', 'Members with their roles, now or at a moment', {
      query: asked,
      answer: MemberList,
      run: async (request, reply) => {
        const { view, ...standing } = await viewFor(request, reply, request.query);
        return { items: [...view.members], ...standing };
      },
    });

    query('/invitations', 'Open invitations, now or at a moment', {
      query: asked,
      answer: InvitationList,
      run: async (request, reply) => {
        const { view, ...standing } = await viewFor(request, reply, request.query);
        return { items: [...view.invitations], ...standing };
      },
    });
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

/** For each quota, what is used and how much there may be. */
export const usageRoutes =
  ({ limits, organization }: Pick<Quotas, 'limits' | 'organization'>): FastifyPluginAsyncTypebox =>
  async (app) => {
    const route = router(app, { tag: 'organization', permission: 'organization.read' });

    route('GET', '/organization/usage', 'Usage and limit of each quota', {
      permission: 'organization.read',
      answer: UsageAnswer,
      run: async ({ caller: { organizationId, grants } }) => {
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
    });
  };

import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from '@sinclair/typebox';
import { type FastifyReply } from 'fastify';
import { PROJECT_ROLES, type Role, ROLES } from '../../domain/access/permission.js';
import { apiKeyChangesBetween } from '../../domain/changes/organization-changes.js';
import { KEY_PATTERN } from '../../domain/streams.js';
import { type ApiTokens, type ListedToken, type SecretMaking } from '../../identity/ports.js';
import { type Caller } from '../http/caller.js';
import { CommandAnswer } from '../http/command-route.js';
import { router } from '../http/route.js';
import { closed, Name } from '../http/schemas.js';
import { commandRouter, commandSender } from '../http/send-command.js';
import {
  expiryOf,
  lifecycle,
  lifecycleOf,
  RotateBody,
  rotationNow,
  unusedForDays,
} from './lifecycle.js';

const Role = Type.Union(
  ROLES.map((role) => Type.Literal(role)),
  { description: 'In the whole organization; none: only what the roles in projects give.' },
);

const ProjectRole = Type.Union(PROJECT_ROLES.map((role) => Type.Literal(role)));

const Projects = Type.Record(Type.String({ pattern: KEY_PATTERN }), ProjectRole, {
  ...closed,
  maxProperties: 200,
  description: 'Project key → role there, besides the role in the organization. The wider counts.',
});

const TokenParams = Type.Object({
  token: Type.String({ pattern: '^[0-9A-Za-z]{12}$', description: 'The id of the token.' }),
});

const NewToken = Type.Object(
  {
    name: Name,
    role: Role,
    projects: Type.Optional(Projects),
    expiresAt: Type.Optional(
      Type.String({ format: 'date-time', description: 'RFC 3339; absent: never.' }),
    ),
  },
  closed,
);

const IssuedToken = Type.Composite([
  CommandAnswer,
  Type.Object({
    tokenId: Type.String(),
    token: Type.Optional(
      Type.String({ description: 'Only in the first answer; it is not stored.' }),
    ),
  }),
]);

const Listed = Type.Object({
  tokenId: Type.String(),
  name: Type.String(),
  role: Role,
  projects: Projects,
  ...lifecycle,
});

const TokenList = Type.Object({ items: Type.Array(Listed) });

/** A token as it is listed. */
const tokenView = ({
  keyId: tokenId,
  name,
  role,
  projects,
  ...rest
}: ListedToken): Static<typeof Listed> => ({
  ...{ tokenId, name, role, projects: { ...projects } },
  ...lifecycleOf(rest),
});

type Token = Readonly<{ tokenId: string; token?: string }>;

const shown = (reply: FastifyReply, tokenId: string, token: string | undefined): Token => {
  void reply.header('cache-control', 'no-store');
  return { tokenId, ...(token === undefined ? {} : { token }) };
};

/** `by`: nobody changes a token that may do more than they may. */
const named = ({ caller, params }: Readonly<{ caller: Caller; params: { token: string } }>) => ({
  organizationId: caller.organizationId,
  keyId: params.token,
  by: caller.grants,
});

/** API tokens: with them machines do what people do, within a role. */
export const apiTokenRoutes =
  (tokens: ApiTokens): FastifyPluginAsyncTypebox =>
  async (app) => {
    const command = commandRouter(app, { tag: 'tokens', permission: 'tokens.manage' });
    const senderOf = (handle: SecretMaking['handle']) =>
      commandSender(handle, apiKeyChangesBetween);

    command('POST', '/tokens', 'Issue an API token', {
      body: NewToken,
      quota: { one: 'tokens' },
      isCreation: true,
      answer: IssuedToken,
      run: async (request, reply) => {
        const { name, role, projects = {}, expiresAt } = request.body;
        const { organizationId, grants: by } = request.caller;
        const { keyId, command, handle, secret } = tokens.issuing({
          ...{ organizationId, name, by, commandId: request.commandId },
          grants: { role, projects },
          expiresAt: expiryOf(expiresAt),
        });
        const at = `/api/v1/tokens/${keyId}`;
        const answer = await senderOf(handle)(request, reply, command, at);
        return { ...answer, ...shown(reply, keyId, secret()) };
      },
    });

    command('POST', '/tokens/:token/rotate', 'Rotate the secret of an API token', {
      params: TokenParams,
      body: RotateBody,
      isBodyOptional: true,
      answer: IssuedToken,
      run: async (request, reply) => {
        const data = { ...named(request), ...rotationNow(request.body.overlapSeconds) };
        const { handle, secret } = tokens.rotating(data);
        const answer = await senderOf(handle)(request, reply, { type: 'RotateApiKey', data });
        return { ...answer, ...shown(reply, data.keyId, secret()) };
      },
    });

    command('POST', '/tokens/:token/revoke', 'Revoke an API token', {
      params: TokenParams,
      run: async (request, reply) => {
        const data = named(request);
        const send = senderOf(tokens.revoking(data));
        return send(request, reply, { type: 'RevokeApiKey', data });
      },
    });

    const list = router(app, { tag: 'tokens', permission: 'tokens.read' });
    list('GET', '/tokens', 'List API tokens, including revoked ones, or only unused ones', {
      permission: 'tokens.read',
      query: unusedForDays,
      answer: TokenList,
      run: async ({ caller: { organizationId }, query }) => ({
        items: (await tokens.list({ organizationId, ...query })).map(tokenView),
      }),
    });
  };

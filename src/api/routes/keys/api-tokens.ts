import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { type FastifyReply } from 'fastify';
import { apiKeyChangesBetween } from '../../../domain/changes/api-key-changes.js';
import { type Caller } from '../../caller.js';
import { commandSchema, creationSchema, nameCommand } from '../../command-route.js';
import { closed, problems } from '../../schemas.js';
import { commandSender } from '../../send-command.js';
import { emptyBodyIsObject } from '../time-travel-commands.js';
import { IssuedToken, NewToken, TokenList, TokenParams, tokenView } from './api-token-schemas.js';
import { unusedForDays } from './lifecycle.js';
import { expiryOf, RotateBody, rotationNow } from './overlap.js';
import { type ApiTokens, type SecretMaking } from '../../../identity/key-ports.js';

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
    app.addHook('preValidation', nameCommand);
    const config = { permission: 'tokens.manage' } as const;
    const senderOf = (handle: SecretMaking['handle']) =>
      commandSender(handle, apiKeyChangesBetween);

    const about = creationSchema('tokens', 'Issue an API token');
    const response = { ...about.response, 200: IssuedToken, 201: IssuedToken };
    app.post(
      '/tokens',
      {
        config: { ...config, quota: { one: 'tokens' } },
        schema: { ...about, body: NewToken, response },
      },
      async (request, reply) => {
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
    );

    app.post(
      '/tokens/:token/rotate',
      {
        config,
        preValidation: emptyBodyIsObject,
        schema: {
          ...commandSchema('tokens', 'Give an API token a new secret, next to the one it has'),
          params: TokenParams,
          body: RotateBody,
          response: { 200: IssuedToken, ...problems },
        },
      },
      async (request, reply) => {
        const data = { ...named(request), ...rotationNow(request.body.overlapSeconds) };
        const { handle, secret } = tokens.rotating(data);
        const answer = await senderOf(handle)(request, reply, { type: 'RotateApiKey', data });
        return { ...answer, ...shown(reply, data.keyId, secret()) };
      },
    );

    app.post(
      '/tokens/:token/revoke',
      {
        config,
        schema: { ...commandSchema('tokens', 'Revoke an API token'), params: TokenParams },
      },
      async (request, reply) => {
        const data = named(request);
        const send = senderOf(tokens.revoking(data));
        return send(request, reply, { type: 'RevokeApiKey', data });
      },
    );

    app.get(
      '/tokens',
      {
        config: { permission: 'tokens.read' },
        schema: {
          tags: ['tokens'],
          summary: 'List API tokens, also revoked ones, or those that nobody uses',
          querystring: Type.Object(unusedForDays, closed),
          response: { 200: TokenList, ...problems },
        },
      },
      async ({ caller: { organizationId }, query }) => ({
        items: (await tokens.list({ organizationId, ...query })).map(tokenView),
      }),
    );
  };

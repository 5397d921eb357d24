import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type FastifyRequest } from 'fastify';
import { apiKeyChangesBetween } from '../../../domain/changes/api-key-changes.js';
import {
  commandSchema,
  creationSchema,
  nameCommand,
  projectIn,
  projectPath,
} from '../../command-route.js';
import { problems } from '../../schemas.js';
import { emptyBodyIsObject } from '../time-travel-commands.js';
import { commandSender } from '../../send-command.js';
import {
  IssuedKey,
  KeyList,
  KeyParams,
  NewKey,
  Params,
  viewOf,
} from './application-key-schemas.js';
import { expiryOf, RotateBody, rotationNow } from './overlap.js';
import { type KeyPlace, type ApplicationKeys } from '../../../identity/key-ports.js';

type Placed = Pick<FastifyRequest, 'caller'> &
  Readonly<{ params: Readonly<{ project: string; environment: string }> }>;

const placeOf = ({ caller, params: { project, environment } }: Placed): KeyPlace => ({
  organizationId: caller.organizationId,
  project,
  environment,
});

const shown = (key: string | undefined): { key?: string } => (key === undefined ? {} : { key });

/** Keys that applications evaluate the flags of one environment with. */
export const applicationKeyRoutes =
  (keys: ApplicationKeys): FastifyPluginAsyncTypebox =>
  async (app) => {
    const path = '/projects/:project/environments/:environment/keys';
    app.addHook('preValidation', nameCommand);

    const about = creationSchema('keys', 'Issue an application key');
    const response = { ...about.response, 200: IssuedKey, 201: IssuedKey };
    app.post(
      path,
      {
        config: { permission: 'keys.manage', quota: { one: 'keys' } },
        schema: { ...about, params: Params, body: NewKey, response },
      },
      async (request, reply) => {
        const { kind, name, expiresAt } = request.body;
        const { keyId, command, handle, secret } = keys.issuing({
          kind,
          name,
          place: placeOf(request),
          expiresAt: expiryOf(expiresAt),
          commandId: request.commandId,
        });
        const { project, environment } = request.params;
        const at = `${projectPath(project)}/environments/${environment}/keys/${keyId}`;
        const send = commandSender(handle, apiKeyChangesBetween);
        const answer = await send(request, reply, command, at);
        void reply.header('cache-control', 'no-store');
        return { ...answer, keyId, ...shown(secret()) };
      },
    );

    app.post(
      `${path}/:key/revoke`,
      {
        config: { permission: 'keys.manage' },
        schema: { ...commandSchema('keys', 'Revoke an application key'), params: KeyParams },
      },
      async (request, reply) => {
        const { key: keyId, environment } = request.params;
        const { organizationId } = request.caller;
        const data = { organizationId, projectId: projectIn(request), environment, keyId };
        const send = commandSender(keys.revoking(keyId, placeOf(request)), apiKeyChangesBetween);
        return send(request, reply, { type: 'RevokeApiKey', data });
      },
    );

    app.post(
      `${path}/:key/rotate`,
      {
        config: { permission: 'keys.manage' },
        preValidation: emptyBodyIsObject,
        schema: {
          ...commandSchema('keys', 'Give an application key a new secret, next to the one it has'),
          params: KeyParams,
          body: RotateBody,
          response: { 200: IssuedKey, ...problems },
        },
      },
      async (request, reply) => {
        const { key: keyId, environment } = request.params;
        const { organizationId } = request.caller;
        const { handle, secret } = keys.rotating(keyId, placeOf(request));
        const data = {
          ...{ organizationId, projectId: projectIn(request), environment, keyId },
          ...rotationNow(request.body.overlapSeconds),
        };
        const send = commandSender(handle, apiKeyChangesBetween);
        const answer = await send(request, reply, { type: 'RotateApiKey', data });
        void reply.header('cache-control', 'no-store');
        return { ...answer, keyId, ...shown(secret()) };
      },
    );

    app.get(
      path,
      {
        config: { permission: 'keys.read' },
        schema: {
          tags: ['keys'],
          summary: 'List application keys, also revoked ones',
          params: Params,
          response: { 200: KeyList, ...problems },
        },
      },
      async (request) => ({ items: (await keys.list(placeOf(request))).map(viewOf) }),
    );
  };

import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type FastifyRequest } from 'fastify';
import { type ApiKeyCommand } from '../../commands/organization-decider.js';
import { type IssueApiKey } from '../../commands/organization/issue-api-key.js';
import { apiKeyChangesBetween } from '../../domain/changes/api-key-changes.js';
import { DomainError } from '../../domain/decider.js';
import { type ApiKey } from '../../domain/organization/api-key.js';
import { type ApiKeyEvent, type ApplicationKeyKind } from '../../domain/organization/events.js';
import {
  commandSchema,
  creationSchema,
  nameCommand,
  projectIn,
  projectPath,
} from '../command-route.js';
import { problems } from '../schemas.js';
import { commandSender, type Handle } from '../send-command.js';
import {
  IssuedKey,
  KeyList,
  KeyParams,
  type ListedKey,
  NewKey,
  Params,
  viewOf,
} from './application-key-schemas.js';

export type KeyPlace = Readonly<{ organizationId: string; project: string; environment: string }>;

export type NewApplicationKey = Readonly<{
  kind: ApplicationKeyKind;
  place: KeyPlace;
  name: string;
  expiresAt?: Date | undefined;
  commandId: string;
}>;

type KeyHandle = Handle<ApiKey, ApiKeyCommand, ApiKeyEvent>;

export type ApplicationKeys = Readonly<{
  /** A key to be issued; `secret` is there once `handle` has made it work, and only in the request that did. */
  issuing: (wanted: NewApplicationKey) => Readonly<{
    keyId: string;
    command: IssueApiKey;
    handle: KeyHandle;
    secret: () => string | undefined;
  }>;
  revoking: (keyId: string, place: KeyPlace) => KeyHandle;
  /** @throws DomainError when there is no such environment */
  list: (place: KeyPlace) => Promise<readonly ListedKey[]>;
}>;

type Placed = Pick<FastifyRequest, 'caller'> &
  Readonly<{ params: Readonly<{ project: string; environment: string }> }>;

const placeOf = ({ caller, params: { project, environment } }: Placed): KeyPlace => ({
  organizationId: caller.organizationId,
  project,
  environment,
});

/** @throws DomainError `expiry-in-past` */
const expiryOf = (text: string | undefined): Date | undefined => {
  if (text === undefined) return undefined;
  const expiresAt = new Date(text.toUpperCase());
  if (expiresAt.getTime() > Date.now()) return expiresAt;
  throw new DomainError('expiry-in-past', `${text} has passed; the key could never be used.`);
};

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
        config: { permission: 'keys.manage' },
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
        const key = secret();
        void reply.header('cache-control', 'no-store');
        return { ...answer, keyId, ...(key === undefined ? {} : { key }) };
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

import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from '@sinclair/typebox';
import { type FastifyRequest } from 'fastify';
import { apiKeyChangesBetween } from '../../domain/changes/organization-changes.js';
import { type ApplicationKeys, type KeyPlace, type ListedKey } from '../../identity/ports.js';
import { CommandAnswer, projectIn, projectPath } from '../http/command-route.js';
import { visibleTo } from '../http/permissions.js';
import { router } from '../http/route.js';
import { closed, Key, Name } from '../http/schemas.js';
import { commandRouter, commandSender } from '../http/send-command.js';
import {
  expiryOf,
  lifecycle,
  lifecycleOf,
  RotateBody,
  rotationNow,
  unusedForDays,
} from './lifecycle.js';

const Params = Type.Object({ project: Key, environment: Key });
const KeyParams = Type.Object({
  project: Key,
  environment: Key,
  key: Type.String({ pattern: '^[0-9A-Za-z]{12}$', description: 'The id of the key.' }),
});
const Kind = Type.Union([Type.Literal('server'), Type.Literal('client')], {
  description: 'client: may be public, so it can only evaluate all flags at once.',
});
const NewKey = Type.Object(
  {
    kind: Kind,
    name: Name,
    expiresAt: Type.Optional(
      Type.String({ format: 'date-time', description: 'RFC 3339; absent: never.' }),
    ),
  },
  closed,
);
const IssuedKey = Type.Composite([
  CommandAnswer,
  Type.Object({
    keyId: Type.String(),
    key: Type.Optional(Type.String({ description: 'Only in the first answer; it is not stored.' })),
  }),
]);
const Listed = Type.Object({ keyId: Type.String(), kind: Kind, name: Type.String(), ...lifecycle });

const KeyList = Type.Object({ items: Type.Array(Listed) });

/** A key as it is listed. */
const viewOf = ({ keyId, kind, name, ...rest }: ListedKey): Static<typeof Listed> => ({
  ...{ keyId, kind, name },
  ...lifecycleOf(rest),
});

/** A key of anywhere in the organization. */
type PlacedKey = ListedKey & Readonly<{ project: string; environment: string }>;

const PlacedKeyList = Type.Object({
  items: Type.Array(
    Type.Composite([Type.Object({ project: Type.String(), environment: Type.String() }), Listed]),
  ),
});

type Placed = Pick<FastifyRequest, 'caller'> &
  Readonly<{ params: Readonly<{ project: string; environment: string }> }>;

const placeOf = ({ caller, params: { project, environment } }: Placed): KeyPlace => ({
  organizationId: caller.organizationId,
  project,
  environment,
});

type Named = Placed & Readonly<{ params: Readonly<{ key: string }> }>;

/** A key as commands name it. */
const namedIn = (request: Named) => ({
  organizationId: request.caller.organizationId,
  projectId: projectIn(request),
  environment: request.params.environment,
  keyId: request.params.key,
});

const shown = (key: string | undefined): { key?: string } => (key === undefined ? {} : { key });

/** Keys that applications evaluate the flags of one environment with. */
export const applicationKeyRoutes =
  (keys: ApplicationKeys): FastifyPluginAsyncTypebox =>
  async (app) => {
    const path = '/projects/:project/environments/:environment/keys';
    const command = commandRouter(app, { tag: 'keys', permission: 'keys.manage' });

    command('POST', path, 'Issue an application key', {
      params: Params,
      body: NewKey,
      quota: { one: 'keys' },
      isCreation: true,
      answer: IssuedKey,
      run: async (request, reply) => {
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
    });

    command('POST', `${path}/:key/revoke`, 'Revoke an application key', {
      params: KeyParams,
      run: async (request, reply) => {
        const data = namedIn(request);
        const handle = keys.revoking(data.keyId, placeOf(request));
        const send = commandSender(handle, apiKeyChangesBetween);
        return send(request, reply, { type: 'RevokeApiKey', data });
      },
    });

    command('POST', `${path}/:key/rotate`, 'Rotate the secret of an application key', {
      params: KeyParams,
      body: RotateBody,
      isBodyOptional: true,
      answer: IssuedKey,
      run: async (request, reply) => {
        const named = namedIn(request);
        const { handle, secret } = keys.rotating(named.keyId, placeOf(request));
        const data = { ...named, ...rotationNow(request.body.overlapSeconds) };
        const send = commandSender(handle, apiKeyChangesBetween);
        const answer = await send(request, reply, { type: 'RotateApiKey', data });
        void reply.header('cache-control', 'no-store');
        return { ...answer, keyId: named.keyId, ...shown(secret()) };
      },
    });

    const list = router(app, { tag: 'keys', permission: 'keys.read' });
    list('GET', path, 'List application keys, including revoked ones', {
      permission: 'keys.read',
      params: Params,
      answer: KeyList,
      run: async (request) => ({ items: (await keys.list(placeOf(request))).map(viewOf) }),
    });
  };

type KeyReport = Readonly<{
  organizationId: string;
  /** Keys of projects to keep to; absent: all. */
  projects?: readonly string[];
  unusedForDays?: number;
}>;

/** Application keys of all projects that the caller may see them of: which could go? */
export const keyReportRoutes =
  (report: (asked: KeyReport) => Promise<readonly PlacedKey[]>): FastifyPluginAsyncTypebox =>
  async (app) => {
    const list = router(app, { tag: 'keys', permission: 'keys.read' });
    list('GET', '/keys', 'List application keys of the organization, or only unused ones', {
      permission: 'keys.read',
      query: unusedForDays,
      answer: PlacedKeyList,
      run: async ({ caller, query }) => {
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
    });
  };

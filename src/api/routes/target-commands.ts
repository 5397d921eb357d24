import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { changesBetween } from '../../domain/changes.js';
import { commandSchema, nameCommand } from '../command-route.js';
import { closed, VariantName } from '../schemas.js';
import { commandSender } from '../send-command.js';
import { configurationIn } from './configuration-commands.js';
import { type FlagCommandDeps } from './flag-commands.js';
import {
  ConfigurationParams,
  TargetingKeys,
  TARGETS_BODY_LIMIT,
  TargetsBody,
} from './flag-schemas.js';

const PATH = '/projects/:project/flags/:flag/environments/:environment/targets';

/** Commands on the individual targets of a flag in one environment. */
export const targetCommandRoutes =
  ({ flags }: FlagCommandDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const send = commandSender(flags, changesBetween);
    app.addHook('preValidation', nameCommand);

    app.put(
      PATH,
      {
        config: { permission: 'flags.write', quota: { bytes: 'body' } },
        bodyLimit: TARGETS_BODY_LIMIT,
        schema: {
          ...commandSchema('configuration', 'Replace all individual targets'),
          params: ConfigurationParams,
          body: TargetsBody,
        },
      },
      async (request, reply) => {
        const data = { ...configurationIn(request), ...request.body };
        return send(request, reply, { type: 'ChangeTargets', data });
      },
    );

    app.post(
      `${PATH}/add`,
      {
        config: { permission: 'flags.write', quota: { bytes: 'body' } },
        bodyLimit: TARGETS_BODY_LIMIT,
        schema: {
          ...commandSchema('configuration', 'Give targeting keys one variant'),
          params: ConfigurationParams,
          body: Type.Object({ variant: VariantName, keys: TargetingKeys }, closed),
        },
      },
      async (request, reply) => {
        const data = { ...configurationIn(request), ...request.body };
        return send(request, reply, { type: 'AddTargets', data });
      },
    );

    app.post(
      `${PATH}/remove`,
      {
        config: { permission: 'flags.write' },
        bodyLimit: TARGETS_BODY_LIMIT,
        schema: {
          ...commandSchema('configuration', 'Target these keys no more'),
          params: ConfigurationParams,
          body: Type.Object({ keys: TargetingKeys }, closed),
        },
      },
      async (request, reply) => {
        const data = { ...configurationIn(request), ...request.body };
        return send(request, reply, { type: 'RemoveTargets', data });
      },
    );
  };

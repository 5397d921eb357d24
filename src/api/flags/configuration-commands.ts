import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { planPromotion } from '../../commands/environments/promote.js';
import { type PromoteFlag } from '../../commands/flag/configuration.js';
import { changesBetween } from '../../domain/changes.js';
import { type Histories } from '../../domain/flagd/here.js';
import {
  CommandQuery,
  commandSchema,
  nameCommand,
  OnConflictQuery,
  projectIn,
} from '../http/command-route.js';
import { closed, Key, VariantName } from '../http/schemas.js';
import { commandSender } from '../http/send-command.js';
import { type FlagCommandDeps } from './commands.js';
import {
  ConfigurationParams,
  FallthroughBody,
  RolloutBody,
  TargetingKeys,
  TARGETS_BODY_LIMIT,
  TargetsBody,
} from './schemas.js';

/** What leaves the flag as it is in `to`. */
const leftAlone = (data: PromoteFlag['data']): PromoteFlag => ({
  type: 'PromoteFlag',
  data: { ...data, from: data.to },
});

type ConfigurationCommandDeps = FlagCommandDeps & Pick<Histories, 'flagHistory'>;

const FLAG_PATH = '/projects/:project/flags/:flag/environments/:environment';

type Place = Parameters<typeof projectIn>[0] & { params: { flag: string; environment: string } };

export const configurationIn = (request: Place) => ({
  projectId: projectIn(request),
  flagKey: request.params.flag,
  environment: request.params.environment,
});

/** Commands on the configuration of a flag in one environment. */
export const configurationCommandRoutes =
  ({ flags, flagHistory }: ConfigurationCommandDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const send = commandSender(flags, changesBetween);
    app.addHook('preValidation', nameCommand);

    app.post(
      `${FLAG_PATH}/enable`,
      {
        config: { permission: 'flags.write' },
        schema: {
          ...commandSchema('configuration', 'Enable'),
          params: ConfigurationParams,
        },
      },
      async (request, reply) => {
        const data = configurationIn(request);
        return send(request, reply, { type: 'EnableFlag', data });
      },
    );

    app.post(
      `${FLAG_PATH}/disable`,
      {
        config: { permission: 'flags.write' },
        schema: {
          ...commandSchema('configuration', 'Disable: serve the off variant'),
          params: ConfigurationParams,
        },
      },
      async (request, reply) => {
        const data = configurationIn(request);
        return send(request, reply, { type: 'DisableFlag', data });
      },
    );

    app.put(
      `${FLAG_PATH}/off-variant`,
      {
        config: { permission: 'flags.write' },
        schema: {
          ...commandSchema(
            'configuration',
            'What is served while disabled; null: the code default',
          ),
          params: ConfigurationParams,
          body: Type.Object({ offVariant: Type.Union([VariantName, Type.Null()]) }, closed),
        },
      },
      async (request, reply) => {
        const data = { ...configurationIn(request), ...request.body };
        return send(request, reply, { type: 'ChangeOffVariant', data });
      },
    );

    app.put(
      `${FLAG_PATH}/fallthrough`,
      {
        config: { permission: 'flags.write', quota: { bytes: 'body' } },
        schema: {
          ...commandSchema(
            'configuration',
            'What everyone else gets: one variant, or shares in percent',
          ),
          params: ConfigurationParams,
          body: FallthroughBody,
        },
      },
      async (request, reply) => {
        const data = { ...configurationIn(request), fallthrough: request.body };
        return send(request, reply, { type: 'ChangeRollout', data });
      },
    );

    app.put(
      `${FLAG_PATH}/rollout`,
      {
        config: { permission: 'flags.write', quota: { bytes: 'body' } },
        schema: {
          ...commandSchema('configuration', 'Enable a boolean flag for this percentage of users'),
          params: ConfigurationParams,
          body: RolloutBody,
        },
      },
      async (request, reply) => {
        const data = { ...configurationIn(request), ...request.body };
        return send(request, reply, { type: 'SetRolloutPercentage', data });
      },
    );

    app.post(
      `${FLAG_PATH}/promote`,
      {
        config: { permission: 'flags.write', quota: { bytes: 'flag' } },
        schema: {
          ...commandSchema('configuration', 'Copy this configuration to another environment'),
          querystring: Type.Composite(
            [CommandQuery, Type.Object({ onConflict: OnConflictQuery })],
            closed,
          ),
          params: ConfigurationParams,
          body: Type.Object({ to: Key }, closed),
        },
      },
      async (request, reply) => {
        const { environment: from, ...place } = configurationIn(request);
        const { onConflict = 'fail' } = request.query;
        const data = { ...place, from, to: request.body.to };
        const history = await flagHistory(data.projectId, data.flagKey);
        const { command } = planPromotion(history, { ...data, onConflict });
        return send(request, reply, command ?? leftAlone(data));
      },
    );
  };

const TARGETS_PATH = '/projects/:project/flags/:flag/environments/:environment/targets';

/** Commands on the individual targets of a flag in one environment. */
export const targetCommandRoutes =
  ({ flags }: FlagCommandDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const send = commandSender(flags, changesBetween);
    app.addHook('preValidation', nameCommand);

    app.put(
      TARGETS_PATH,
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
      `${TARGETS_PATH}/add`,
      {
        config: { permission: 'flags.write', quota: { bytes: 'body' } },
        bodyLimit: TARGETS_BODY_LIMIT,
        schema: {
          ...commandSchema('configuration', 'Serve one variant to these targeting keys'),
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
      `${TARGETS_PATH}/remove`,
      {
        config: { permission: 'flags.write' },
        bodyLimit: TARGETS_BODY_LIMIT,
        schema: {
          ...commandSchema('configuration', 'Remove individual targets'),
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

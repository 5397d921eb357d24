import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { changesBetween } from '../../domain/changes.js';
import { type PromoteFlag } from '../../commands/flag/configuration/promote-flag.js';
import { planPromotion } from '../../commands/flag/plan-promotion.js';
import { type Histories } from '../../commands/flagd/here.js';
import { CommandQuery, commandSchema, nameCommand, projectIn } from '../command-route.js';
import { closed, Key, VariantName } from '../schemas.js';
import { commandSender } from '../send-command.js';
import { OnConflictQuery } from './flag-batch.js';
import { type FlagCommandDeps } from './flag-commands.js';
import { ConfigurationParams, FallthroughBody, RolloutBody } from './flag-schemas.js';

/** What leaves the flag as it is in `to`. */
const leftAlone = (data: PromoteFlag['data']): PromoteFlag => ({
  type: 'PromoteFlag',
  data: { ...data, from: data.to },
});

export type ConfigurationCommandDeps = FlagCommandDeps & Pick<Histories, 'flagHistory'>;

const PATH = '/projects/:project/flags/:flag/environments/:environment';

type Place = Parameters<typeof projectIn>[0] & { params: { flag: string; environment: string } };

export const configurationIn = (request: Place) => ({
  projectId: projectIn(request),
  flagKey: request.params.flag,
  environment: request.params.environment,
});

/** Commands on the configuration of a flag in one environment; its individual targets are in target-commands.ts. */
export const configurationCommandRoutes =
  ({ flags, flagHistory }: ConfigurationCommandDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const send = commandSender(flags, changesBetween);
    app.addHook('preValidation', nameCommand);

    app.post(
      `${PATH}/enable`,
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
      `${PATH}/disable`,
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
      `${PATH}/off-variant`,
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
      `${PATH}/fallthrough`,
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
      `${PATH}/rollout`,
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
      `${PATH}/promote`,
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

import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { planPromotion } from '../../commands/environments/promote.js';
import { type PromoteFlag } from '../../commands/flag/configuration.js';
import { type Histories } from '../../domain/flagd/here.js';
import { OnConflictQuery, projectIn } from '../http/command-route.js';
import { closed, Key, VariantName } from '../http/schemas.js';
import { aggregateRouter } from '../http/send-command.js';
import { type FlagCommandDeps, ofFlags } from './commands.js';
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

const PLACE = '/projects/:project/flags/:flag/environments/:environment';

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
    const command = aggregateRouter(app, { tag: 'configuration', ...ofFlags({ flags }) });

    command('POST', `${PLACE}/enable`, 'Enable', {
      params: ConfigurationParams,
      toCommand: (request) => ({ type: 'EnableFlag', data: configurationIn(request) }),
    });

    command('POST', `${PLACE}/disable`, 'Disable: serve the off variant', {
      params: ConfigurationParams,
      toCommand: (request) => ({ type: 'DisableFlag', data: configurationIn(request) }),
    });

    const off = 'What is served while disabled; null: the code default';
    command('PUT', `${PLACE}/off-variant`, off, {
      params: ConfigurationParams,
      body: Type.Object({ offVariant: Type.Union([VariantName, Type.Null()]) }, closed),
      toCommand: (request) => ({
        type: 'ChangeOffVariant',
        data: { ...configurationIn(request), ...request.body },
      }),
    });

    const fallthrough = 'What everyone else gets: one variant, or shares in percent';
    command('PUT', `${PLACE}/fallthrough`, fallthrough, {
      params: ConfigurationParams,
      body: FallthroughBody,
      quota: { bytes: 'body' },
      toCommand: (request) => ({
        type: 'ChangeRollout',
        data: { ...configurationIn(request), fallthrough: request.body },
      }),
    });

    command('PUT', `${PLACE}/rollout`, 'Enable a boolean flag for this percentage of users', {
      params: ConfigurationParams,
      body: RolloutBody,
      quota: { bytes: 'body' },
      toCommand: (request) => ({
        type: 'SetRolloutPercentage',
        data: { ...configurationIn(request), ...request.body },
      }),
    });

    command('POST', `${PLACE}/promote`, 'Copy this configuration to another environment', {
      params: ConfigurationParams,
      query: { onConflict: OnConflictQuery },
      body: Type.Object({ to: Key }, closed),
      quota: { bytes: 'flag' },
      toCommand: async (request) => {
        const { environment: from, ...place } = configurationIn(request);
        const { onConflict = 'fail' } = request.query;
        const data = { ...place, from, to: request.body.to };
        const history = await flagHistory(data.projectId, data.flagKey);
        return planPromotion(history, { ...data, onConflict }).command ?? leftAlone(data);
      },
    });
  };

const TARGETS = `${PLACE}/targets`;

/** Commands on the individual targets of a flag in one environment. */
export const targetCommandRoutes =
  (deps: FlagCommandDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const command = aggregateRouter(app, { tag: 'configuration', ...ofFlags(deps) });

    command('PUT', TARGETS, 'Replace all individual targets', {
      params: ConfigurationParams,
      body: TargetsBody,
      quota: { bytes: 'body' },
      bodyLimit: TARGETS_BODY_LIMIT,
      toCommand: (request) => ({
        type: 'ChangeTargets',
        data: { ...configurationIn(request), ...request.body },
      }),
    });

    command('POST', `${TARGETS}/add`, 'Serve one variant to these targeting keys', {
      params: ConfigurationParams,
      body: Type.Object({ variant: VariantName, keys: TargetingKeys }, closed),
      quota: { bytes: 'body' },
      bodyLimit: TARGETS_BODY_LIMIT,
      toCommand: (request) => ({
        type: 'AddTargets',
        data: { ...configurationIn(request), ...request.body },
      }),
    });

    command('POST', `${TARGETS}/remove`, 'Remove individual targets', {
      params: ConfigurationParams,
      body: Type.Object({ keys: TargetingKeys }, closed),
      bodyLimit: TARGETS_BODY_LIMIT,
      toCommand: (request) => ({
        type: 'RemoveTargets',
        data: { ...configurationIn(request), ...request.body },
      }),
    });
  };

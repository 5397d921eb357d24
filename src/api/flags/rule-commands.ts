import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { closed, Key, VariantName } from '../http/schemas.js';
import { aggregateRouter } from '../http/send-command.js';
import { configurationIn } from './configuration-commands.js';
import { type FlagCommandDeps, ofFlags } from './commands.js';
import { ConfigurationParams } from './schemas.js';
import {
  AddedRule,
  PlaceBody,
  placed,
  RuleChange,
  ruleIn,
  rulesIn,
  RuleParams,
  RulesBody,
} from './rule-schemas.js';

const PLACE = '/projects/:project/flags/:flag/environments/:environment';
const RULE = `${PLACE}/rules/:rule`;

const PrerequisitesBody = Type.Object(
  {
    prerequisites: Type.Array(
      Type.Object(
        { flagKey: Key, variants: Type.Array(VariantName, { minItems: 1, maxItems: 100 }) },
        closed,
      ),
      { maxItems: 50 },
    ),
  },
  closed,
);

/** Commands on the rules and prerequisites of a flag in one environment. */
export const ruleCommandRoutes =
  (deps: FlagCommandDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const command = aggregateRouter(app, { tag: 'configuration', ...ofFlags(deps) });

    command('PUT', `${PLACE}/rules`, 'Replace all rules', {
      params: ConfigurationParams,
      body: RulesBody,
      quota: { bytes: 'body' },
      toCommand: (request) => ({
        type: 'ReplaceRules',
        data: { ...configurationIn(request), rules: rulesIn(request.body.rules) },
      }),
    });

    command('POST', `${PLACE}/rules`, 'Add a rule, at the end or at a position', {
      params: ConfigurationParams,
      body: AddedRule,
      quota: { bytes: 'body' },
      toCommand: (request) => ({
        type: 'AddRule',
        data: { ...configurationIn(request), ...placed(request.body) },
      }),
    });

    command('PATCH', RULE, 'Change a rule; its id and position stay', {
      params: RuleParams,
      body: RuleChange,
      quota: { bytes: 'body' },
      toCommand: (request) => {
        const { rule } = request.params;
        const data = { ...configurationIn(request), rule, change: ruleIn(request.body) };
        return { type: 'ChangeRule', data };
      },
    });

    command('POST', `${RULE}/move`, 'Move a rule; without a position, to the end', {
      params: RuleParams,
      body: PlaceBody,
      toCommand: (request) => {
        const { rule } = request.params;
        return {
          type: 'MoveRule',
          data: { ...configurationIn(request), rule, place: request.body },
        };
      },
    });

    command('DELETE', RULE, 'Remove a rule', {
      params: RuleParams,
      toCommand: (request) => ({
        type: 'RemoveRule',
        data: { ...configurationIn(request), rule: request.params.rule },
      }),
    });

    command('PUT', `${PLACE}/prerequisites`, 'Replace all prerequisites on other flags', {
      params: ConfigurationParams,
      body: PrerequisitesBody,
      quota: { bytes: 'body' },
      toCommand: (request) => ({
        type: 'ChangePrerequisites',
        data: { ...configurationIn(request), ...request.body },
      }),
    });
  };

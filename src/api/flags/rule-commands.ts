import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { changesBetween } from '../../domain/changes.js';
import { commandSchema, nameCommand } from '../http/command-route.js';
import { closed, Key, VariantName } from '../http/schemas.js';
import { commandSender } from '../http/send-command.js';
import { configurationIn } from './configuration-commands.js';
import { type FlagCommandDeps } from './commands.js';
import { ConfigurationParams } from './schemas.js';
import {
  AddedRule,
  clausesIn,
  PlaceBody,
  placed,
  RuleChange,
  ruleIn,
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
  ({ flags }: FlagCommandDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const send = commandSender(flags, changesBetween);
    app.addHook('preValidation', nameCommand);

    app.put(
      `${PLACE}/rules`,
      {
        config: { permission: 'flags.write', quota: { bytes: 'body' } },
        schema: {
          ...commandSchema('configuration', 'Replace all rules'),
          params: ConfigurationParams,
          body: RulesBody,
        },
      },
      async (request, reply) => {
        const rules = request.body.rules.map(({ clauses, ...rule }) => ({
          ...rule,
          clauses: clausesIn(clauses),
        }));
        const data = { ...configurationIn(request), rules };
        return send(request, reply, { type: 'ReplaceRules', data });
      },
    );

    app.post(
      `${PLACE}/rules`,
      {
        config: { permission: 'flags.write', quota: { bytes: 'body' } },
        schema: {
          ...commandSchema('configuration', 'Add a rule, at the end or at a position'),
          params: ConfigurationParams,
          body: AddedRule,
        },
      },
      async (request, reply) => {
        const { rule, place } = placed(request.body);
        const clauses = clausesIn(rule.clauses);
        const data = { ...configurationIn(request), rule: { ...rule, clauses }, place };
        return send(request, reply, { type: 'AddRule', data });
      },
    );

    app.patch(
      RULE,
      {
        config: { permission: 'flags.write', quota: { bytes: 'body' } },
        schema: {
          ...commandSchema('configuration', 'Change a rule; its id and position stay'),
          params: RuleParams,
          body: RuleChange,
        },
      },
      async (request, reply) => {
        const { rule } = request.params;
        const data = { ...configurationIn(request), rule, change: ruleIn(request.body) };
        return send(request, reply, { type: 'ChangeRule', data });
      },
    );

    app.post(
      `${RULE}/move`,
      {
        config: { permission: 'flags.write' },
        schema: {
          ...commandSchema('configuration', 'Move a rule; without a position, to the end'),
          params: RuleParams,
          body: PlaceBody,
        },
      },
      async (request, reply) => {
        const { rule } = request.params;
        const data = { ...configurationIn(request), rule, place: request.body };
        return send(request, reply, { type: 'MoveRule', data });
      },
    );

    app.delete(
      RULE,
      {
        config: { permission: 'flags.write' },
        schema: { ...commandSchema('configuration', 'Remove a rule'), params: RuleParams },
      },
      async (request, reply) => {
        const { rule } = request.params;
        const data = { ...configurationIn(request), rule };
        return send(request, reply, { type: 'RemoveRule', data });
      },
    );

    app.put(
      `${PLACE}/prerequisites`,
      {
        config: { permission: 'flags.write', quota: { bytes: 'body' } },
        schema: {
          ...commandSchema('configuration', 'Replace all prerequisites on other flags'),
          params: ConfigurationParams,
          body: PrerequisitesBody,
        },
      },
      async (request, reply) => {
        const data = { ...configurationIn(request), ...request.body };
        return send(request, reply, { type: 'ChangePrerequisites', data });
      },
    );
  };

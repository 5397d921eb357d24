import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { segmentChangesBetween } from '../../domain/changes/segment-changes.js';
import {
  AddedSegmentRule,
  clausesIn,
  PlaceBody,
  placed,
  ruleIn,
  SegmentRuleChange,
  SegmentRules,
} from '../flags/rule-schemas.js';
import { commandSchema, nameCommand } from '../http/command-route.js';
import { closed } from '../http/schemas.js';
import { commandSender } from '../http/send-command.js';
import {
  type SegmentCommandDeps,
  segmentIn,
  SegmentParams,
  SegmentRuleParams,
} from './commands.js';

const SEGMENT = '/projects/:project/segments/:segment';
const RULE = `${SEGMENT}/rules/:rule`;

/** Commands on the rules of a segment. */
export const segmentRuleCommandRoutes =
  ({ segments }: Pick<SegmentCommandDeps, 'segments'>): FastifyPluginAsyncTypebox =>
  async (app) => {
    const send = commandSender(segments, segmentChangesBetween);
    app.addHook('preValidation', nameCommand);

    app.put(
      `${SEGMENT}/rules`,
      {
        config: { permission: 'flags.write', quota: { bytes: 'body' } },
        schema: {
          ...commandSchema('segments', 'Replace all rules of a segment'),
          params: SegmentParams,
          body: Type.Object({ rules: SegmentRules }, closed),
        },
      },
      async (request, reply) => {
        const rules = request.body.rules.map(({ clauses, ...rule }) => ({
          ...rule,
          clauses: clausesIn(clauses),
        }));
        const data = { ...segmentIn(request), rules };
        return send(request, reply, { type: 'ReplaceSegmentRules', data });
      },
    );

    app.post(
      `${SEGMENT}/rules`,
      {
        config: { permission: 'flags.write', quota: { bytes: 'body' } },
        schema: {
          ...commandSchema('segments', 'Add a rule to a segment'),
          params: SegmentParams,
          body: AddedSegmentRule,
        },
      },
      async (request, reply) => {
        const { rule, place } = placed(request.body);
        const clauses = clausesIn(rule.clauses);
        const data = { ...segmentIn(request), rule: { ...rule, clauses }, place };
        return send(request, reply, { type: 'AddSegmentRule', data });
      },
    );

    app.patch(
      RULE,
      {
        config: { permission: 'flags.write', quota: { bytes: 'body' } },
        schema: {
          ...commandSchema('segments', 'Change a rule of a segment'),
          params: SegmentRuleParams,
          body: SegmentRuleChange,
        },
      },
      async (request, reply) => {
        const { rule } = request.params;
        const data = { ...segmentIn(request), rule, change: ruleIn(request.body) };
        return send(request, reply, { type: 'ChangeSegmentRule', data });
      },
    );

    app.post(
      `${RULE}/move`,
      {
        config: { permission: 'flags.write' },
        schema: {
          ...commandSchema('segments', 'Move a rule of a segment'),
          params: SegmentRuleParams,
          body: PlaceBody,
        },
      },
      async (request, reply) => {
        const { rule } = request.params;
        const data = { ...segmentIn(request), rule, place: request.body };
        return send(request, reply, { type: 'MoveSegmentRule', data });
      },
    );

    app.delete(
      RULE,
      {
        config: { permission: 'flags.write' },
        schema: {
          ...commandSchema('segments', 'Remove a rule of a segment'),
          params: SegmentRuleParams,
        },
      },
      async (request, reply) => {
        const { rule } = request.params;
        return send(request, reply, {
          type: 'RemoveSegmentRule',
          data: { ...segmentIn(request), rule },
        });
      },
    );
  };

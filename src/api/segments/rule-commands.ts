import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import {
  AddedSegmentRule,
  PlaceBody,
  placed,
  ruleIn,
  rulesIn,
  SegmentRuleChange,
  SegmentRules,
} from '../flags/rule-schemas.js';
import { closed } from '../http/schemas.js';
import { aggregateRouter } from '../http/send-command.js';
import {
  ofSegments,
  type SegmentCommandDeps,
  segmentIn,
  SegmentParams,
  SegmentRuleParams,
} from './commands.js';

const SEGMENT = '/projects/:project/segments/:segment';
const RULE = `${SEGMENT}/rules/:rule`;

/** Commands on the rules of a segment. */
export const segmentRuleCommandRoutes =
  (deps: Pick<SegmentCommandDeps, 'segments'>): FastifyPluginAsyncTypebox =>
  async (app) => {
    const command = aggregateRouter(app, ofSegments(deps));

    command('PUT', `${SEGMENT}/rules`, 'Replace all rules of a segment', {
      params: SegmentParams,
      body: Type.Object({ rules: SegmentRules }, closed),
      quota: { bytes: 'body' },
      toCommand: (request) => ({
        type: 'ReplaceSegmentRules',
        data: { ...segmentIn(request), rules: rulesIn(request.body.rules) },
      }),
    });

    command('POST', `${SEGMENT}/rules`, 'Add a rule to a segment', {
      params: SegmentParams,
      body: AddedSegmentRule,
      quota: { bytes: 'body' },
      toCommand: (request) => ({
        type: 'AddSegmentRule',
        data: { ...segmentIn(request), ...placed(request.body) },
      }),
    });

    command('PATCH', RULE, 'Change a rule of a segment', {
      params: SegmentRuleParams,
      body: SegmentRuleChange,
      quota: { bytes: 'body' },
      toCommand: (request) => {
        const { rule } = request.params;
        const data = { ...segmentIn(request), rule, change: ruleIn(request.body) };
        return { type: 'ChangeSegmentRule', data };
      },
    });

    command('POST', `${RULE}/move`, 'Move a rule of a segment', {
      params: SegmentRuleParams,
      body: PlaceBody,
      toCommand: (request) => {
        const { rule } = request.params;
        return {
          type: 'MoveSegmentRule',
          data: { ...segmentIn(request), rule, place: request.body },
        };
      },
    });

    command('DELETE', RULE, 'Remove a rule of a segment', {
      params: SegmentRuleParams,
      toCommand: (request) => ({
        type: 'RemoveSegmentRule',
        data: { ...segmentIn(request), rule: request.params.rule },
      }),
    });
  };

import { type Command, DomainError } from '../../../domain/decider.js';
import { type SegmentEvent } from '../../../domain/segment/events.js';
import { type ExistingSegment, type Segment } from '../../../domain/segment/segment.js';
import { type ClausePorts } from '../../../domain/targeting/valid-clauses.js';
import { withIds } from '../../rules/rule-id.js';
import { requireRuleList } from '../../rules/rule-list.js';
import { type SegmentPlace } from '../guards.js';
import { type KeyLists, normaliseKeys } from '../keys/key-lists.js';
import {
  type NewSegmentRule,
  requireSegmentRule,
  toSegmentRule,
} from '../rules/new-segment-rule.js';

export type CreateSegment = Command<
  'CreateSegment',
  SegmentPlace &
    Partial<KeyLists> & {
      name?: string;
      description?: string;
      tags?: readonly string[];
      rules?: readonly NewSegmentRule[];
    }
>;

/** @throws DomainError `segment-exists`, with a pointer to restore when it is deleted */
export const refuseTaken = (segment: ExistingSegment): never => {
  throw segment.status === 'deleted'
    ? new DomainError(
        'segment-exists-deleted',
        `Segment '${segment.key}' exists and is deleted. A key is never reused: restore the segment, or choose another key.`,
      )
    : new DomainError('segment-exists', `Segment '${segment.key}' exists already.`);
};

export const createSegment =
  (ports: ClausePorts) =>
  ({ data }: CreateSegment, segment: Segment): readonly SegmentEvent[] => {
    if (segment.status !== 'absent') refuseTaken(segment);
    const { projectId, segmentKey: key, name = key, description = '' } = data;
    const keys = normaliseKeys({ included: data.included ?? [], excluded: data.excluded ?? [] });
    const rules = withIds(data.rules ?? [], []).map(toSegmentRule);
    requireRuleList(rules);
    for (const [index, rule] of rules.entries()) requireSegmentRule(rule, `rules[${index}]`, ports);
    const tags = [...new Set(data.tags)];
    const content = { projectId, key, name, description, tags, ...keys, rules };
    return [{ type: 'SegmentCreated', data: content }];
  };

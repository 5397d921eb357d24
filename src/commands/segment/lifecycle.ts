import { type Command, DomainError } from '../../domain/decider.js';
import { sameJson } from '../../domain/json.js';
import {
  type ExistingSegment,
  type Segment,
  segmentContentOf,
  type SegmentEvent,
} from '../../domain/segment.js';
import { type ClausePorts } from '../../domain/targeting/valid-clauses.js';
import { requireRuleList, withIds } from '../rule-list.js';
import { type SegmentSnapshot, segmentSnapshotData } from '../snapshot.js';
import { requireExistingSegment, requireSegment, type SegmentPlace } from './guards.js';
import { type KeyLists, normaliseKeys } from './keys.js';
import { type NewSegmentRule, requireSegmentRule, toSegmentRule } from './rules.js';

/** What is left out stays as it is. */
export type ChangeSegmentDetails = Command<
  'ChangeSegmentDetails',
  SegmentPlace & { name?: string; description?: string; tags?: readonly string[] }
>;

export const changeSegmentDetails = (
  { data }: ChangeSegmentDetails,
  segment: Segment,
): readonly SegmentEvent[] => {
  const active = requireSegment(segment, data.segmentKey);
  const present = { name: active.name, description: active.description, tags: active.tags };
  const { name = present.name, description = present.description } = data;
  const tags = data.tags === undefined ? present.tags : [...new Set(data.tags)];
  const wanted = { name, description, tags };
  return sameJson(present, wanted) ? [] : [{ type: 'SegmentDetailsChanged', data: wanted }];
};

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

/** The segment keeps its key and its history, and can be restored. That nobody uses it is checked before the append. */
export type DeleteSegment = Command<'DeleteSegment', SegmentPlace>;

export const deleteSegment = (
  { data }: DeleteSegment,
  segment: Segment,
): readonly SegmentEvent[] =>
  requireExistingSegment(segment, data.segmentKey).status === 'deleted'
    ? []
    : [{ type: 'SegmentDeleted', data: {} }];

/** Brings a deleted segment back, as it was at `snapshot`. */
export type RestoreSegment = Command<
  'RestoreSegment',
  SegmentPlace & { snapshot: SegmentSnapshot }
>;

export const restoreSegment = (
  { data }: RestoreSegment,
  segment: Segment,
): readonly SegmentEvent[] => {
  if (requireExistingSegment(segment, data.segmentKey).status !== 'deleted') {
    throw new DomainError(
      'segment-not-deleted',
      `Segment '${data.segmentKey}' is not deleted; to change it back, revert it.`,
    );
  }
  return [{ type: 'SegmentRestored', data: segmentSnapshotData(data.snapshot) }];
};

/** Makes a live segment what it was at `snapshot`. */
export type RevertSegment = Command<'RevertSegment', SegmentPlace & { snapshot: SegmentSnapshot }>;

export const revertSegment = (
  { data }: RevertSegment,
  segment: Segment,
): readonly SegmentEvent[] => {
  const present = segmentContentOf(requireSegment(segment, data.segmentKey));
  const reverted = segmentSnapshotData(data.snapshot);
  return sameJson(present, reverted.content) ? [] : [{ type: 'SegmentReverted', data: reverted }];
};

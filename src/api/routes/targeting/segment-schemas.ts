import { Type } from '@sinclair/typebox';
import { MAX_SEGMENT_KEYS } from '../../../commands/segment/keys/key-lists.js';
import { closed, Description, Key, Name } from '../../schemas.js';
import { Tags } from '../flag-schemas.js';
import { SegmentRules } from './rule-schemas.js';

export const SegmentParams = Type.Object({ project: Key, segment: Key });
export const SegmentRuleParams = Type.Object({ project: Key, segment: Key, rule: Key });

/** Of routes that take keys: 100 000 of up to some 80 characters. */
export const SEGMENT_BODY_LIMIT = 8 * 1024 * 1024;

export const SegmentKeys = Type.Array(Type.String({ minLength: 1, maxLength: 256 }), {
  maxItems: MAX_SEGMENT_KEYS,
});

const details = {
  name: Type.Optional(Name),
  description: Type.Optional(Description),
  tags: Type.Optional(Tags),
};

export const NewSegment = Type.Object(
  {
    key: Key,
    ...details,
    included: Type.Optional(SegmentKeys),
    excluded: Type.Optional(SegmentKeys),
    rules: Type.Optional(SegmentRules),
  },
  closed,
);

export const SegmentDetails = Type.Object(details, closed);

export const KeyListsBody = Type.Object({ included: SegmentKeys, excluded: SegmentKeys }, closed);

export const AddedKeysBody = Type.Object(
  { included: Type.Optional(SegmentKeys), excluded: Type.Optional(SegmentKeys) },
  { ...closed, minProperties: 1 },
);

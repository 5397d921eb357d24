import { type CommandCase } from './command-case.js';

const PLACE = '/projects/{project}/flags/{flag}/environments/{environment}';
const PRO = [{ attribute: 'plan', operator: 'in', values: ['pro'] }];
const STAFF = [{ attribute: 'email', operator: 'endsWith', values: ['@a.org'], ignoreCase: true }];
const RULES = [
  { id: 'pro', clauses: PRO, serve: { variant: 'on' } },
  { id: 'staff', clauses: STAFF, serve: { split: [{ variant: 'on', percent: 100 }] } },
];
const PUT_RULES = [`PUT ${PLACE}/rules`, { rules: RULES }] as const;

const SEGMENT = '/projects/{project}/segments/{segment}';
const SEGMENT_RULES = RULES.map(({ id, clauses }) => ({ id, clauses }));
const CREATE_SEGMENT = [
  'POST /projects/{project}/segments',
  { key: 's', included: ['anna'], excluded: ['bert'], rules: SEGMENT_RULES },
] as const;
const RENAME_SEGMENT = [`PATCH ${SEGMENT}`, { name: 'Beta' }] as const;

const RULE_CASES: readonly CommandCase[] = [
  {
    route: `PUT ${PLACE}/rules`,
    body: { rules: RULES },
    other: { rules: [] },
    events: ['FlagRulesChanged'],
  },
  {
    route: `POST ${PLACE}/rules`,
    before: [PUT_RULES],
    body: { id: 'new', before: 'staff', clauses: PRO, serve: { variant: null } },
    other: { clauses: PRO, serve: { variant: 'on' } },
    events: ['FlagRulesChanged'],
    again: 'rule-exists',
  },
  {
    route: `PATCH ${PLACE}/rules/{rule}`,
    before: [PUT_RULES],
    body: { description: 'Paying', clauses: [{ anyOf: [...PRO, ...STAFF] }] },
    other: { serve: { variant: 'off' } },
    events: ['FlagRulesChanged'],
  },
  {
    route: `POST ${PLACE}/rules/{rule}/move`,
    before: [PUT_RULES],
    body: {},
    other: { position: 1 },
    events: ['FlagRulesChanged'],
  },
  {
    route: `DELETE ${PLACE}/rules/{rule}`,
    before: [PUT_RULES],
    events: ['FlagRulesChanged'],
    again: 'rule-not-found',
  },
  {
    route: `PUT ${PLACE}/prerequisites`,
    before: [['POST /projects/{project}/flags', { key: 'g', type: 'boolean' }]],
    body: { prerequisites: [{ flagKey: 'g', variants: ['on'] }] },
    other: { prerequisites: [] },
    events: ['FlagPrerequisitesChanged'],
  },
];

const SEGMENT_CASES: readonly CommandCase[] = [
  {
    route: 'POST /projects/{project}/segments',
    body: CREATE_SEGMENT[1],
    other: { key: 's' },
    events: ['SegmentCreated'],
    again: 'segment-exists',
    makes: '/projects/{project}/segments/s',
  },
  {
    route: `PATCH ${SEGMENT}`,
    before: [CREATE_SEGMENT],
    body: { name: 'Beta', tags: ['qa'] },
    other: { description: 'Friends' },
    events: ['SegmentDetailsChanged'],
  },
  { route: `DELETE ${SEGMENT}`, before: [CREATE_SEGMENT], events: ['SegmentDeleted'] },
  {
    route: `POST ${SEGMENT}/restore`,
    before: [CREATE_SEGMENT, RENAME_SEGMENT, [`DELETE ${SEGMENT}`]],
    body: { revision: 0 },
    other: {},
    events: ['SegmentRestored'],
    again: 'segment-not-deleted',
  },
  {
    route: `POST ${SEGMENT}/revert`,
    before: [CREATE_SEGMENT, RENAME_SEGMENT],
    body: { revision: 0 },
    other: { revision: 1 },
    events: ['SegmentReverted'],
  },
  {
    route: `PUT ${SEGMENT}/keys`,
    before: [CREATE_SEGMENT],
    body: { included: ['carl'], excluded: [] },
    other: { included: [], excluded: [] },
    events: ['SegmentKeysRemoved', 'SegmentKeysAdded'],
  },
  {
    route: `POST ${SEGMENT}/keys/add`,
    before: [CREATE_SEGMENT],
    body: { included: ['bert'] },
    other: { excluded: ['anna'] },
    events: ['SegmentKeysRemoved', 'SegmentKeysAdded'],
  },
  {
    route: `POST ${SEGMENT}/keys/remove`,
    before: [CREATE_SEGMENT],
    body: { keys: ['anna'] },
    other: { keys: ['bert'] },
    events: ['SegmentKeysRemoved'],
  },
  {
    route: `PUT ${SEGMENT}/rules`,
    before: [CREATE_SEGMENT],
    body: { rules: SEGMENT_RULES.toReversed() },
    other: { rules: [] },
    events: ['SegmentRulesChanged'],
  },
  {
    route: `POST ${SEGMENT}/rules`,
    before: [CREATE_SEGMENT],
    body: { id: 'new', position: 0, clauses: STAFF },
    other: { clauses: STAFF },
    events: ['SegmentRulesChanged'],
    again: 'rule-exists',
  },
  {
    route: `PATCH ${SEGMENT}/rules/{rule}`,
    before: [CREATE_SEGMENT],
    body: { clauses: STAFF },
    other: { description: 'Paying' },
    events: ['SegmentRulesChanged'],
  },
  {
    route: `POST ${SEGMENT}/rules/{rule}/move`,
    before: [CREATE_SEGMENT],
    body: { position: 1 },
    other: {},
    events: ['SegmentRulesChanged'],
  },
  {
    route: `DELETE ${SEGMENT}/rules/{rule}`,
    before: [CREATE_SEGMENT],
    events: ['SegmentRulesChanged'],
    again: 'rule-not-found',
  },
];

export const TARGETING_CASES = [...RULE_CASES, ...SEGMENT_CASES];

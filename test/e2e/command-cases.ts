/** One command's route, and how to meet it on a project with environments production and staging and the flag `f`. */
export type CommandCase = Readonly<{
  /** As in /openapi.json, below /api/v1. */
  route: string;
  /** Commands that lead to the state it needs. */
  before?: readonly (readonly [route: string, body?: unknown])[];
  body?: unknown;
  /** Another body that would be accepted. */
  other?: unknown;
  events: readonly string[];
  /** What a second time, with a new key, comes to. */
  again?: string;
  /** Where that is which it makes. */
  makes?: string;
}>;

const FLAG = '/projects/{project}/flags/{flag}';
const PLACE = `${FLAG}/environments/{environment}`;
const ENVIRONMENT = '/projects/{project}/environments/{environment}';

const VARIANTS = [
  { name: 'on', value: true },
  { name: 'off', value: false },
  { name: 'maybe', value: true },
];

const ENABLE = [`POST ${PLACE}/enable`] as const;
const ARCHIVE = [`POST ${FLAG}/archive`] as const;
const DELETE = [`DELETE ${FLAG}`] as const;
const TARGET = [`POST ${PLACE}/targets/add`, { variant: 'on', keys: ['anna', 'bert'] }] as const;

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

const PROJECT_CASES: readonly CommandCase[] = [
  {
    route: 'POST /projects',
    body: { key: '{project}-new', environments: [{ key: 'live', isProduction: true }] },
    other: { key: '{project}-new', name: 'New' },
    events: ['ProjectCreated', 'EnvironmentAdded'],
    again: 'project-exists',
    makes: '/projects/{project}-new',
  },
  {
    route: 'PATCH /projects/{project}',
    body: { name: 'Shop', description: 'Sells' },
    other: { name: 'Market' },
    events: ['ProjectDetailsChanged'],
  },
  { route: 'DELETE /projects/{project}', events: ['ProjectDeleted'] },
  {
    route: 'POST /projects/{project}/restore',
    before: [['DELETE /projects/{project}']],
    events: ['ProjectRestored'],
  },
  {
    route: 'POST /projects/{project}/environments',
    body: { key: 'test', color: '#00FF00' },
    other: { key: 'qa' },
    events: ['EnvironmentAdded'],
    again: 'environment-exists',
    makes: '/projects/{project}/environments/test',
  },
  {
    route: `PATCH ${ENVIRONMENT}`,
    body: { name: 'Live', isProduction: true },
    other: { name: 'Alive' },
    events: ['EnvironmentDetailsChanged'],
  },
  { route: `DELETE ${ENVIRONMENT}`, events: ['EnvironmentDeleted'] },
  {
    route: `POST ${ENVIRONMENT}/restore`,
    before: [[`DELETE ${ENVIRONMENT}`]],
    events: ['EnvironmentRestored'],
  },
];

const FLAG_CASES: readonly CommandCase[] = [
  {
    route: 'POST /projects/{project}/flags',
    body: { key: 'new', type: 'string', variants: [{ name: 'a', value: 'x' }], tags: ['ui'] },
    other: { key: 'new', type: 'boolean' },
    events: ['FlagCreated'],
    again: 'flag-exists',
    makes: '/projects/{project}/flags/new',
  },
  {
    route: `PATCH ${FLAG}`,
    body: { name: 'Checkout', tags: ['ui'], metadata: { owner: 'shop', tier: 1 } },
    other: { name: 'Basket' },
    events: ['FlagDetailsChanged'],
  },
  {
    route: `PUT ${FLAG}/variants`,
    body: { variants: VARIANTS },
    other: { variants: VARIANTS.slice(0, 2) },
    events: ['FlagVariantsChanged'],
  },
  { route: `POST ${FLAG}/archive`, events: ['FlagArchived'] },
  { route: `POST ${FLAG}/unarchive`, before: [ARCHIVE], events: ['FlagUnarchived'] },
  { route: `DELETE ${FLAG}`, events: ['FlagDeleted'] },
  {
    route: `POST ${FLAG}/restore`,
    before: [ENABLE, DELETE],
    body: { revision: 0 },
    other: {},
    events: ['FlagRestored'],
    again: 'flag-not-deleted',
  },
  {
    route: `POST ${FLAG}/revert`,
    before: [ENABLE],
    body: { revision: 0 },
    other: { revision: 0, environment: 'production' },
    events: ['FlagReverted'],
  },
  {
    route: `POST ${FLAG}/copy`,
    body: { key: 'copy', name: 'Copy' },
    other: { key: 'copy' },
    events: ['FlagCreated'],
    again: 'flag-exists',
    makes: '/projects/{project}/flags/copy',
  },
];

const CONFIGURATION_CASES: readonly CommandCase[] = [
  { route: `POST ${PLACE}/enable`, events: ['FlagEnabled'] },
  { route: `POST ${PLACE}/disable`, before: [ENABLE], events: ['FlagDisabled'] },
  {
    route: `PUT ${PLACE}/off-variant`,
    body: { offVariant: null },
    other: { offVariant: 'on' },
    events: ['FlagOffVariantChanged'],
  },
  {
    route: `PUT ${PLACE}/fallthrough`,
    body: {
      split: [
        { variant: 'on', percent: 33.333 },
        { variant: 'off', percent: 66.667 },
      ],
      bucketBy: 'company',
    },
    other: { variant: 'off' },
    events: ['FlagRolloutChanged'],
  },
  {
    route: `PUT ${PLACE}/rollout`,
    body: { percentage: 0.001 },
    other: { percentage: 25 },
    events: ['FlagRolloutChanged', 'FlagEnabled'],
  },
  {
    route: `POST ${PLACE}/promote`,
    before: [ENABLE],
    body: { to: 'staging' },
    other: { to: 'production' },
    events: ['FlagPromoted'],
  },
  {
    route: `PUT ${PLACE}/targets`,
    body: { targets: [{ variant: 'off', keys: ['carl'] }] },
    other: { targets: [] },
    events: ['FlagTargetsChanged'],
  },
  {
    route: `POST ${PLACE}/targets/add`,
    body: { variant: 'off', keys: ['carl'] },
    other: { variant: 'on', keys: ['carl'] },
    events: ['FlagTargetsChanged'],
  },
  {
    route: `POST ${PLACE}/targets/remove`,
    before: [TARGET],
    body: { keys: ['anna'] },
    other: { keys: ['bert'] },
    events: ['FlagTargetsChanged'],
  },
];

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
    events: ['SegmentKeysChanged'],
  },
  {
    route: `POST ${SEGMENT}/keys/add`,
    before: [CREATE_SEGMENT],
    body: { included: ['bert'] },
    other: { excluded: ['anna'] },
    events: ['SegmentKeysChanged'],
  },
  {
    route: `POST ${SEGMENT}/keys/remove`,
    before: [CREATE_SEGMENT],
    body: { keys: ['anna'] },
    other: { keys: ['bert'] },
    events: ['SegmentKeysChanged'],
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

export const COMMAND_CASES = [
  ...PROJECT_CASES,
  ...FLAG_CASES,
  ...CONFIGURATION_CASES,
  ...RULE_CASES,
  ...SEGMENT_CASES,
];

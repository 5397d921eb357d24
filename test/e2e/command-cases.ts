import { type CommandCase } from './command-case.js';
import { TARGETING_CASES } from './targeting-cases.js';

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
    events: ['FlagTargetsAdded'],
  },
  {
    route: `POST ${PLACE}/targets/add`,
    body: { variant: 'off', keys: ['carl'] },
    other: { variant: 'on', keys: ['carl'] },
    events: ['FlagTargetsAdded'],
  },
  {
    route: `POST ${PLACE}/targets/remove`,
    before: [TARGET],
    body: { keys: ['anna'] },
    other: { keys: ['bert'] },
    events: ['FlagTargetsRemoved'],
  },
];

export const COMMAND_CASES = [
  ...PROJECT_CASES,
  ...FLAG_CASES,
  ...CONFIGURATION_CASES,
  ...TARGETING_CASES,
];

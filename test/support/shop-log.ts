import { type DomainEvent } from '../../src/domain/catalogue.js';
import { type Recorded } from '../../src/domain/recorded.js';
import { apiKeyStream, flagStream, projectIdOf, projectStream } from '../../src/domain/streams.js';
import {
  configuration,
  flagContent,
  onFlag,
  onProject,
  ORGANIZATION,
  projectBegins,
  recorded,
  splitServe,
} from './histories.js';

export const OTHER_ORGANIZATION = 'rival';
const RIVAL_ID = projectIdOf(OTHER_ORGANIZATION, 'shop');

/** Reasons and agents that a spreadsheet would run, and what CSV has to quote. */
export const NASTY = ['=HYPERLINK("http://x")', '+1', '-1', '@sum', "'quoted", 'a,b\r\n"c"', '\tx'];

/**
 * A small company: project `shop` with flags `checkout` (changed a lot, alive), `banner` (archived), `old`
 * (deleted) and `quiet`; project `gone` (deleted); and a rival with a project and a flag of the same keys.
 * Positions are 100, 110, …; a second passes between events.
 */
export const shopLog: readonly Recorded<DomainEvent>[] = recorded([
  ...projectBegins,
  onFlag('checkout', {
    type: 'FlagCreated',
    data: { ...flagContent('checkout'), name: 'Checkout 100%', tags: ['web', 'pay'] },
  }),
  onFlag('checkout', { type: 'FlagEnabled', data: { environment: 'production' } }),
  onFlag('banner', {
    type: 'FlagCreated',
    data: { ...flagContent('banner'), name: 'banner', description: 'Summer_sale', tags: ['web'] },
  }),
  onFlag('old', { type: 'FlagCreated', data: { ...flagContent('old'), type: 'string' } }),
  onFlag(
    'checkout',
    {
      type: 'FlagRolloutChanged',
      data: { environment: 'production', fallthrough: splitServe(25_000) },
    },
    { metadata: { reason: NASTY[0]!, userAgent: NASTY[5]! } },
  ),
  onFlag('old', { type: 'FlagDeleted', data: {} }, { metadata: { reason: NASTY[1]! } }),
  onFlag('banner', { type: 'FlagArchived', data: {} }, { metadata: { reason: NASTY[2]! } }),
  {
    stream: projectStream(RIVAL_ID),
    event: {
      type: 'ProjectCreated',
      data: { organizationId: OTHER_ORGANIZATION, key: 'shop', name: 'Rival', description: '' },
    },
  },
  {
    stream: flagStream(RIVAL_ID, 'secret'),
    event: { type: 'FlagCreated', data: flagContent('secret', RIVAL_ID) },
  },
  onFlag(
    'checkout',
    {
      type: 'FlagTargetsChanged',
      data: { environment: 'production', targets: [{ variant: 'on', keys: ['user-1'] }] },
    },
    { metadata: { reason: NASTY[3]! } },
  ),
  onFlag('quiet', { type: 'FlagCreated', data: flagContent('quiet') }, { afterMs: 0 }),
  {
    stream: projectStream(projectIdOf(ORGANIZATION, 'gone')),
    event: {
      type: 'ProjectCreated',
      data: { organizationId: ORGANIZATION, key: 'gone', name: 'Gone', description: '' },
    },
    metadata: { reason: NASTY[4]! },
  },
  {
    stream: projectStream(projectIdOf(ORGANIZATION, 'gone')),
    event: { type: 'ProjectDeleted', data: {} },
    metadata: { reason: NASTY[6]! },
  },
  {
    stream: apiKeyStream(ORGANIZATION, 'k1'),
    event: {
      type: 'ApiKeyIssued',
      data: { keyId: 'k1', kind: 'admin', name: 'Admin', prefix: 'cf_' },
    },
  },
  onProject({ type: 'EnvironmentDeleted', data: { environment: 'development' } }),
  onFlag('checkout', {
    type: 'FlagReverted',
    data: {
      content: { ...flagContent('checkout'), environments: { production: configuration } },
      status: 'active',
      fromRevision: 0,
    },
  }),
]);

import { type Configuration } from '../../src/domain/flag/configuration.js';
import { type FlagContent, type FlagEvent } from '../../src/domain/flag/events.js';
import { type Project } from '../../src/domain/project.js';

export const PROJECT_ID = 'acme:web';
export const FLAG = 'checkout';
export const ENVIRONMENT = 'production';

const environment = (key: string, status: 'active' | 'deleted' = 'active') => ({
  key,
  name: key,
  description: '',
  color: '#3B82F6',
  isProduction: key === ENVIRONMENT,
  status,
});

export const project: Project = {
  status: 'active',
  organizationId: 'acme',
  key: 'web',
  name: 'web',
  description: '',
  environments: [environment(ENVIRONMENT), environment('staging'), environment('old', 'deleted')],
};

export const booleanDefaults: Configuration = {
  enabled: false,
  offVariant: 'off',
  fallthrough: { variant: 'on' },
  targets: [],
};

export const content: FlagContent = {
  projectId: PROJECT_ID,
  key: FLAG,
  name: FLAG,
  description: '',
  tags: [],
  type: 'boolean',
  variants: [
    { name: 'on', value: true },
    { name: 'off', value: false },
  ],
  salt: FLAG,
  defaults: booleanDefaults,
  environments: {},
};

export const created: FlagEvent = { type: 'FlagCreated', data: { ...content } };
export const archived: FlagEvent = { type: 'FlagArchived', data: {} };
export const deleted: FlagEvent = { type: 'FlagDeleted', data: {} };
export const enabled: FlagEvent = { type: 'FlagEnabled', data: { environment: ENVIRONMENT } };

/** Names the flag, and the flag in production. */
export const flag = { projectId: PROJECT_ID, flagKey: FLAG };
export const inProduction = { ...flag, environment: ENVIRONMENT };

import { randomUUID } from 'node:crypto';
import { type EventStoreDBClient, jsonEvent, type JSONEventData } from '@eventstore/db-client';
import { type Event } from '../../src/domain/decider.js';
import { type Configuration, SPLIT_TOTAL } from '../../src/domain/flag/configuration.js';
import { type FlagEvent } from '../../src/domain/flag/events.js';
import { SCHEMA_VERSION } from '../../src/domain/recorded.js';
import { type ProjectEvent } from '../../src/domain/project.js';
import { flagStream, projectIdOf, projectStream } from '../../src/domain/streams.js';
import { forEachOf } from './http.js';

/** The organization that a service makes at its first start. */
const ORGANIZATION = 'default';
const PROJECTS = 4;
const EVENTS_AT_ONCE = 25;
const APPENDS_AT_ONCE = 8;

export const FLAGS = 2_000;
export const FLAGS_PER_PROJECT = FLAGS / PROJECTS;
export const ENVIRONMENT = 'production';

const off: Configuration = {
  enabled: false,
  offVariant: 'off',
  fallthrough: { variant: 'on' },
  targets: [],
};

const toJson = <E extends Event>({ type, data }: E): JSONEventData => {
  const commandId = randomUUID();
  const metadata = {
    actor: { id: 'bench', type: 'user', authMethod: 'none' },
    commandId,
    commandHash: '0'.repeat(64),
    correlationId: commandId,
    causationId: commandId,
    requestId: commandId,
    schemaVersion: SCHEMA_VERSION,
  };
  return jsonEvent({ type, data: data as Record<string, unknown>, metadata });
};

const projectEvents = (key: string): readonly ProjectEvent[] => [
  {
    type: 'ProjectCreated',
    data: { organizationId: ORGANIZATION, key, name: key, description: '' },
  },
  ...[ENVIRONMENT, 'staging'].map((environment) => ({
    type: 'EnvironmentAdded' as const,
    data: {
      environment,
      name: environment,
      description: '',
      color: '#3B82F6',
      isProduction: environment === ENVIRONMENT,
    },
  })),
];

/** Every revision is another state: created, enabled, then a rollout that goes up by one. */
const flagEvent = (projectId: string, key: string, revision: number): FlagEvent => {
  if (revision > 1) {
    const weight = (revision % 100) * (SPLIT_TOTAL / 100);
    const weights = [
      { variant: 'on', weight },
      { variant: 'off', weight: SPLIT_TOTAL - weight },
    ];
    const split = {
      weights,
      total: SPLIT_TOTAL,
      bucketBy: 'targetingKey',
      algorithm: 'murmur3-32',
    } as const;
    return {
      type: 'FlagRolloutChanged',
      data: { environment: ENVIRONMENT, fallthrough: { split } },
    };
  }
  if (revision === 1) return { type: 'FlagEnabled', data: { environment: ENVIRONMENT } };
  return {
    type: 'FlagCreated',
    data: {
      projectId,
      key,
      name: `Flag ${key}`,
      description: '',
      tags: ['bench'],
      type: 'boolean',
      variants: [
        { name: 'on', value: true },
        { name: 'off', value: false },
      ],
      salt: key,
      defaults: off,
      environments: {},
    },
  };
};

export const placeOf = (flag: number): Readonly<{ project: string; key: string }> => ({
  project: `load-${flag % PROJECTS}`,
  key: `flag-${String(Math.floor(flag / PROJECTS)).padStart(4, '0')}`,
});

export type FilledLog = Readonly<{
  events: number;
  /** From this log position on every flag exists. */
  complete: number;
}>;

/** Fills the log with `count` changes of 2 000 flags, in turns. */
export const fillLog = async (client: EventStoreDBClient, count: number): Promise<FilledLog> => {
  for (let n = 0; n < PROJECTS; n += 1) {
    const { project } = placeOf(n);
    const events = projectEvents(project).map(toJson);
    await client.appendToStream(projectStream(projectIdOf(ORGANIZATION, project)), events);
  }
  const appendTo = async (flag: number, from: number, length: number): Promise<number> => {
    const { project, key } = placeOf(flag);
    const projectId = projectIdOf(ORGANIZATION, project);
    const events = Array.from({ length }, (_, n) => toJson(flagEvent(projectId, key, from + n)));
    const { position } = await client.appendToStream(flagStream(projectId, key), events);
    return Number(position?.commit ?? 0);
  };
  let complete = 0;
  const create = async (flag: number): Promise<void> => {
    complete = Math.max(complete, await appendTo(flag, 0, 1));
  };
  await forEachOf(FLAGS, create, APPENDS_AT_ONCE);
  const revisions = Math.ceil(count / FLAGS);
  for (let from = 1; from < revisions; from += EVENTS_AT_ONCE) {
    const length = Math.min(EVENTS_AT_ONCE, revisions - from);
    await forEachOf(FLAGS, (flag) => appendTo(flag, from, length), APPENDS_AT_ONCE);
  }
  return { events: revisions * FLAGS + PROJECTS * projectEvents('').length, complete };
};

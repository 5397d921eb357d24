import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { type Handle } from '../../commands/streams/command.js';
import { type FlagCommand } from '../../commands/flag/decider.js';
import { type Moment, type Snapshot } from '../../commands/snapshot.js';
import { changesBetween } from '../../domain/changes.js';
import { DomainError } from '../../domain/decider.js';
import { type FlagEvent } from '../../domain/flag/events.js';
import { contentOf, type Flag } from '../../domain/flag/flag.js';
import { toPosition } from '../../domain/position.js';
import { projectIn, projectPath } from '../http/command-route.js';
import { requirePermission } from '../http/permissions.js';
import { closed, Key, Name } from '../http/schemas.js';
import { aggregateRouter } from '../http/send-command.js';
import {
  FlagDetails,
  FlagParams,
  MomentBody,
  momentProperties,
  NewFlag,
  Variants,
} from './schemas.js';

export type FlagCommandDeps = Readonly<{ flags: Handle<Flag, FlagCommand, FlagEvent> }>;

const FLAG = '/projects/:project/flags/:flag';

type Place = Parameters<typeof projectIn>[0] & { params: { flag: string } };

const flagIn = (request: Place) => ({
  projectId: projectIn(request),
  flagKey: request.params.flag,
});

/** What all routes of commands on flags share. */
export const ofFlags = ({ flags }: FlagCommandDeps) =>
  ({
    permission: 'flags.write',
    handle: flags,
    changesOf: changesBetween,
  }) as const;

/** Commands on a flag as a whole; those on its configuration in one environment are in configuration-commands.ts. */
export const flagCommandRoutes =
  (deps: FlagCommandDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const command = aggregateRouter(app, { tag: 'flags', ...ofFlags(deps) });

    command('POST', '/projects/:project/flags', 'Create a flag, disabled everywhere', {
      params: Type.Object({ project: Key }),
      body: NewFlag,
      quota: { one: 'flags', bytes: 'body' },
      locationOf: ({ params, body }) => `${projectPath(params.project)}/flags/${body.key}`,
      toCommand: (request) => {
        const { key: flagKey, ...details } = request.body;
        return {
          type: 'CreateFlag',
          data: { projectId: projectIn(request), flagKey, ...details },
        };
      },
    });

    command('PATCH', FLAG, 'Change name, description, tags or metadata', {
      params: FlagParams,
      body: FlagDetails,
      quota: { bytes: 'body' },
      toCommand: (request) => ({
        type: 'ChangeFlagDetails',
        data: { ...flagIn(request), ...request.body },
      }),
    });

    command('PUT', `${FLAG}/variants`, 'Replace the list of variants', {
      params: FlagParams,
      body: Type.Object({ variants: Variants }, closed),
      quota: { bytes: 'body' },
      toCommand: (request) => ({
        type: 'ChangeVariants',
        data: { ...flagIn(request), ...request.body },
      }),
    });

    command('POST', `${FLAG}/archive`, 'Archive: serve the off variant everywhere', {
      params: FlagParams,
      toCommand: (request) => ({ type: 'ArchiveFlag', data: flagIn(request) }),
    });

    command('POST', `${FLAG}/unarchive`, 'Make an archived flag active again', {
      params: FlagParams,
      toCommand: (request) => ({ type: 'UnarchiveFlag', data: flagIn(request) }),
    });

    command('DELETE', FLAG, 'Delete a flag; it can be restored', {
      params: FlagParams,
      toCommand: (request) => ({ type: 'DeleteFlag', data: flagIn(request) }),
    });
  };

type TimeTravelCommandDeps = FlagCommandDeps &
  Readonly<{
    /** A flag as it was at a moment, folded from the log. */
    snapshotOf: (projectId: string, flagKey: string, moment: Moment) => Promise<Snapshot>;
  }>;

const CopyBody = Type.Object(
  { key: Key, name: Type.Optional(Name), toProject: Type.Optional(Key) },
  closed,
);

const RevertBody = Type.Object(
  { ...momentProperties, environment: Type.Optional(Key) },
  { ...closed, minProperties: 1, maxProperties: 2 },
);

/** A moment as a body has it: JSON has no digits for all positions. */
type AskedMoment = Omit<Moment, 'position'> & Readonly<{ position?: number | string }>;

export const momentIn = ({ position, ...moment }: AskedMoment): Moment => ({
  ...moment,
  ...(position !== undefined && { position: toPosition(position) }),
});

/** @throws DomainError `invalid-request` unless exactly one of revision, position and at is given */
export const requireMoment = (asked: AskedMoment): Moment => {
  if (Object.keys(asked).length === 1) return momentIn(asked);
  throw new DomainError('invalid-request', 'Give exactly one of revision, position and at.');
};

/** Commands that bring back what was, and copies: all by appending. */
export const timeTravelCommandRoutes =
  ({ flags, snapshotOf }: TimeTravelCommandDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const command = aggregateRouter(app, { tag: 'flags', ...ofFlags({ flags }) });

    command('POST', `${FLAG}/restore`, 'Restore a deleted flag, as it was before or at a moment', {
      params: FlagParams,
      body: MomentBody,
      isBodyOptional: true,
      quota: { one: 'flags', bytes: 'flag' },
      toCommand: async (request) => {
        const place = flagIn(request);
        const snapshot = await snapshotOf(place.projectId, place.flagKey, momentIn(request.body));
        return { type: 'RestoreFlag', data: { ...place, snapshot } };
      },
    });

    const revert = 'Make a flag what it was at a moment, or only in one environment';
    command('POST', `${FLAG}/revert`, revert, {
      params: FlagParams,
      body: RevertBody,
      quota: { bytes: 'flag' },
      toCommand: async (request) => {
        const { environment, ...moment } = request.body;
        const place = flagIn(request);
        const snapshot = await snapshotOf(place.projectId, place.flagKey, requireMoment(moment));
        const data = { ...place, snapshot, ...(environment && { environment }) };
        return { type: 'RevertFlag', data };
      },
    });

    command('POST', `${FLAG}/copy`, 'Create a flag with the configuration of this one', {
      params: FlagParams,
      body: CopyBody,
      quota: { one: 'flags', bytes: 'flag' },
      locationOf: ({ params, body: { key, toProject = params.project } }) =>
        `${projectPath(toProject)}/flags/${key}`,
      toCommand: async (request) => {
        const { caller, params, body } = request;
        const { key: flagKey, toProject = params.project, ...details } = body;
        requirePermission(caller, 'flags.write', toProject);
        const { flag, revision } = await snapshotOf(projectIn(request), params.flag, {});
        const projectId = projectIn({ caller, params: { project: toProject } });
        const source = { content: contentOf(flag), revision };
        return { type: 'CopyFlag', data: { projectId, flagKey, ...details, source } };
      },
    });
  };

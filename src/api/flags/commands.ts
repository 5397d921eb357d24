import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { type FastifyRequest } from 'fastify';
import { type Handle } from '../../commands/command.js';
import { type FlagCommand } from '../../commands/flag/decider.js';
import { type Moment, type Snapshot } from '../../commands/snapshot.js';
import { changesBetween } from '../../domain/changes.js';
import { DomainError } from '../../domain/decider.js';
import { type FlagEvent } from '../../domain/flag/events.js';
import { contentOf, type Flag } from '../../domain/flag/flag.js';
import { toPosition } from '../../domain/position.js';
import {
  commandSchema,
  creationSchema,
  nameCommand,
  projectIn,
  projectPath,
} from '../http/command-route.js';
import { requirePermission } from '../http/permissions.js';
import { closed, Key, Name } from '../http/schemas.js';
import { commandSender } from '../http/send-command.js';
import {
  FlagDetails,
  FlagParams,
  MomentBody,
  momentProperties,
  NewFlag,
  Variants,
} from './schemas.js';

export type FlagCommandDeps = Readonly<{ flags: Handle<Flag, FlagCommand, FlagEvent> }>;

/** Commands on a flag as a whole; those on its configuration in one environment are in configuration-commands.ts. */
export const flagCommandRoutes =
  ({ flags }: FlagCommandDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const send = commandSender(flags, changesBetween);
    app.addHook('preValidation', nameCommand);

    app.post(
      '/projects/:project/flags',
      {
        config: { permission: 'flags.write', quota: { one: 'flags', bytes: 'body' } },
        schema: {
          ...creationSchema('flags', 'Create a flag, disabled everywhere'),
          params: Type.Object({ project: Key }),
          body: NewFlag,
        },
      },
      async (request, reply) => {
        const { key: flagKey, ...details } = request.body;
        const data = { projectId: projectIn(request), flagKey, ...details };
        const at = `${projectPath(request.params.project)}/flags/${flagKey}`;
        return send(request, reply, { type: 'CreateFlag', data }, at);
      },
    );

    app.patch(
      '/projects/:project/flags/:flag',
      {
        config: { permission: 'flags.write', quota: { bytes: 'body' } },
        schema: {
          ...commandSchema('flags', 'Change name, description, tags or metadata'),
          params: FlagParams,
          body: FlagDetails,
        },
      },
      async (request, reply) => {
        const flagKey = request.params.flag;
        const data = { projectId: projectIn(request), flagKey, ...request.body };
        return send(request, reply, { type: 'ChangeFlagDetails', data });
      },
    );

    app.put(
      '/projects/:project/flags/:flag/variants',
      {
        config: { permission: 'flags.write', quota: { bytes: 'body' } },
        schema: {
          ...commandSchema('flags', 'Replace the list of variants'),
          params: FlagParams,
          body: Type.Object({ variants: Variants }, closed),
        },
      },
      async (request, reply) => {
        const { variants } = request.body;
        const data = { projectId: projectIn(request), flagKey: request.params.flag, variants };
        return send(request, reply, { type: 'ChangeVariants', data });
      },
    );

    app.post(
      '/projects/:project/flags/:flag/archive',
      {
        config: { permission: 'flags.write' },
        schema: {
          ...commandSchema('flags', 'Archive: serve the off variant everywhere'),
          params: FlagParams,
        },
      },
      async (request, reply) => {
        const data = { projectId: projectIn(request), flagKey: request.params.flag };
        return send(request, reply, { type: 'ArchiveFlag', data });
      },
    );

    app.post(
      '/projects/:project/flags/:flag/unarchive',
      {
        config: { permission: 'flags.write' },
        schema: {
          ...commandSchema('flags', 'Make an archived flag active again'),
          params: FlagParams,
        },
      },
      async (request, reply) => {
        const data = { projectId: projectIn(request), flagKey: request.params.flag };
        return send(request, reply, { type: 'UnarchiveFlag', data });
      },
    );

    app.delete(
      '/projects/:project/flags/:flag',
      {
        config: { permission: 'flags.write' },
        schema: {
          ...commandSchema('flags', 'Delete a flag; it can be restored'),
          params: FlagParams,
        },
      },
      async (request, reply) => {
        const data = { projectId: projectIn(request), flagKey: request.params.flag };
        return send(request, reply, { type: 'DeleteFlag', data });
      },
    );
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

/** A restore without a body is one that names no moment. */
export const emptyBodyIsObject = async (request: FastifyRequest): Promise<void> => {
  request.body ??= {};
};

/** Commands that bring back what was, and copies: all by appending. */
export const timeTravelCommandRoutes =
  ({ flags, snapshotOf }: TimeTravelCommandDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const send = commandSender(flags, changesBetween);
    app.addHook('preValidation', nameCommand);

    app.post(
      '/projects/:project/flags/:flag/restore',
      {
        config: { permission: 'flags.write', quota: { one: 'flags', bytes: 'flag' } },
        schema: {
          ...commandSchema('flags', 'Restore a deleted flag, as it was before or at a moment'),
          params: FlagParams,
          body: MomentBody,
        },
        preValidation: emptyBodyIsObject,
      },
      async (request, reply) => {
        const [projectId, flagKey] = [projectIn(request), request.params.flag];
        const snapshot = await snapshotOf(projectId, flagKey, momentIn(request.body));
        const data = { projectId, flagKey, snapshot };
        return send(request, reply, { type: 'RestoreFlag', data });
      },
    );

    app.post(
      '/projects/:project/flags/:flag/revert',
      {
        config: { permission: 'flags.write', quota: { bytes: 'flag' } },
        schema: {
          ...commandSchema(
            'flags',
            'Make a flag what it was at a moment, or only in one environment',
          ),
          params: FlagParams,
          body: RevertBody,
        },
      },
      async (request, reply) => {
        const { environment, ...moment } = request.body;
        const [projectId, flagKey] = [projectIn(request), request.params.flag];
        const snapshot = await snapshotOf(projectId, flagKey, requireMoment(moment));
        const data = { projectId, flagKey, snapshot, ...(environment && { environment }) };
        return send(request, reply, { type: 'RevertFlag', data });
      },
    );

    app.post(
      '/projects/:project/flags/:flag/copy',
      {
        config: { permission: 'flags.write', quota: { one: 'flags', bytes: 'flag' } },
        schema: {
          ...creationSchema('flags', 'Create a flag with the configuration of this one'),
          params: FlagParams,
          body: CopyBody,
        },
      },
      async (request, reply) => {
        const { key, toProject = request.params.project, ...details } = request.body;
        requirePermission(request.caller, 'flags.write', toProject);
        const { flag, revision } = await snapshotOf(projectIn(request), request.params.flag, {});
        const projectId = projectIn({ ...request, params: { project: toProject } });
        const source = { content: contentOf(flag), revision };
        const data = { projectId, flagKey: key, ...details, source };
        const at = `${projectPath(toProject)}/flags/${key}`;
        return send(request, reply, { type: 'CopyFlag', data }, at);
      },
    );
  };

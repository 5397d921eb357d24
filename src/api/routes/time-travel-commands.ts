import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { type FastifyRequest } from 'fastify';
import { toPosition } from '../../domain/position.js';
import { requirePermission } from '../access/authorize.js';
import { type Snapshot } from '../../commands/flag/snapshot.js';
import { type Moment } from '../../commands/history-at.js';
import { changesBetween } from '../../domain/changes.js';
import { DomainError } from '../../domain/decider.js';
import { contentOf } from '../../domain/flag/flag.js';
import {
  commandSchema,
  creationSchema,
  nameCommand,
  projectIn,
  projectPath,
} from '../command-route.js';
import { closed, Key, Name } from '../schemas.js';
import { commandSender } from '../send-command.js';
import { type FlagCommandDeps } from './flag-commands.js';
import { FlagParams, MomentBody, momentProperties } from './flag-schemas.js';

export type TimeTravelCommandDeps = FlagCommandDeps &
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
  throw new DomainError('invalid-request', 'Name one of revision, position and at.');
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

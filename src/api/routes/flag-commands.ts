import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { type FlagCommand } from '../../commands/flag-decider.js';
import { changesBetween } from '../../domain/changes.js';
import { type FlagEvent } from '../../domain/flag/events.js';
import { type Flag } from '../../domain/flag/flag.js';
import {
  commandSchema,
  creationSchema,
  nameCommand,
  projectIn,
  projectPath,
} from '../command-route.js';
import { closed, Key } from '../schemas.js';
import { commandSender } from '../send-command.js';
import { FlagDetails, FlagParams, NewFlag, Variants } from './flag-schemas.js';
import { type Handle } from '../../commands/command.js';

export type FlagCommandDeps = Readonly<{ flags: Handle<Flag, FlagCommand, FlagEvent> }>;

/**
 * Commands on a flag as a whole. Those on its configuration in one environment are in
 * configuration-commands.ts, those that go back in time in time-travel-commands.ts.
 */
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

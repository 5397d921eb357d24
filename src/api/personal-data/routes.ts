import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  batchUnderItsKey,
  CommandQuery,
  metadataOf,
  nameCommand,
  RepeatableHeaders,
} from '../command-route.js';
import { problems } from '../schemas.js';
import { type PersonalDataRequests } from './requests.js';
import { ErasedAnswer, ErasureList, Exported, PersonBody } from './schemas.js';

const schemaOf = <Answer extends object>(summary: string, answer: Answer) => ({
  tags: ['personal data'],
  summary,
  response: { 200: answer, ...problems },
});

/** What is known about a person, and how it is erased. Values come in bodies, which are in no log. */
export const personalDataRoutes =
  (personal: PersonalDataRequests): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.post(
      '/personal-data/export',
      {
        config: { permission: 'personal-data.read' },
        schema: {
          ...schemaOf('Everything that is known about one person', Exported),
          body: PersonBody,
        },
      },
      async ({ caller, body }) => personal.export(caller.organizationId, body.value),
    );

    app.post(
      '/personal-data/erase',
      {
        config: { permission: 'personal-data.erase' },
        preValidation: nameCommand,
        schema: {
          ...schemaOf(
            'Destroy the key of all that is stored about one person, for good',
            ErasedAnswer,
          ),
          querystring: CommandQuery,
          headers: RepeatableHeaders,
          body: PersonBody,
        },
      },
      async (request, reply) => {
        const { caller, body, query } = request;
        const how = { metadata: metadataOf(request), dryRun: query.dryRun ?? false };
        const erase = () => personal.erase(caller.organizationId, body.value, how);
        // The answer names who was erased by number only.
        return batchUnderItsKey(request, reply, { namesPeople: false, run: erase });
      },
    );

    app.get(
      '/personal-data/erasures',
      {
        config: { permission: 'personal-data.read' },
        schema: schemaOf('Who was erased, by number, and how far that has come', ErasureList),
      },
      async ({ caller }) => ({ items: await personal.erasures(caller.organizationId) }),
    );
  };

import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { type Erased, type PersonalDataRequests, type PersonalExport } from '../identity/ports.js';
import { type Erasure } from '../queries/personal-data.js';
import {
  batchUnderItsKey,
  CommandQuery,
  metadataOf,
  nameCommand,
  RepeatableHeaders,
} from './http/command-route.js';
import { router } from './http/route.js';
import { closed, ExactPosition, Position, Timestamp } from './http/schemas.js';
import { answering, nullable } from './http/view-schemas.js';

const PersonBody = Type.Object(
  {
    value: Type.String({
      minLength: 1,
      maxLength: 1000,
      description: 'A targeting key, an e-mail address, or the id of a user.',
    }),
  },
  closed,
);

const Text = nullable(Type.String());
const SubjectIds = Type.Array(Type.String(), {
  description: 'Name of the person after erasure: `erased:<id>`.',
});

const NamedIn = Type.Array(
  Type.Object({
    project: Type.String(),
    key: Type.String(),
    status: Type.String(),
    places: Type.Array(
      Type.Object({
        where: Type.String({ description: 'target, rule, included or excluded.' }),
        environment: Type.Optional(Text),
        variant: Type.Optional(Type.String()),
        ruleId: Type.Optional(Type.String()),
      }),
    ),
  }),
);

const named = { flags: NamedIn, segments: NamedIn };

const Membership = {
  email: Type.String(),
  role: Type.String(),
  projects: Type.Record(Type.String(), Type.String()),
};

const Exported = answering<PersonalExport>(
  Type.Object({
    value: Type.String(),
    position: Position,
    subjectIds: SubjectIds,
    userIds: Type.Array(Type.String()),
    member: nullable(Type.Object({ userId: Type.String(), ...Membership })),
    invitations: Type.Array(
      Type.Object({ invitationId: Type.String(), expiresAt: Timestamp, ...Membership }),
    ),
    ...named,
    sessions: Type.Array(
      Type.Object({
        startedAt: Timestamp,
        refreshedAt: Timestamp,
        endedAt: nullable(Timestamp),
        method: Type.String(),
        userAgent: Text,
      }),
    ),
    events: Type.Array(
      Type.Object({
        position: Position,
        recordedAt: Timestamp,
        type: Type.String(),
        stream: Type.String(),
        isInClear: Type.Boolean({
          description: 'Written before personal data was sealed: an erasure does not change it.',
        }),
        isOwnAction: Type.Boolean(),
        ip: Text,
        userAgent: Text,
      }),
    ),
    isComplete: Type.Boolean({ description: 'False when there are more events than these.' }),
  }),
);

const ErasedAnswer = answering<Erased>(
  Type.Object({
    result: Type.Union([
      Type.Literal('erased'),
      Type.Literal('unchanged'),
      Type.Literal('dry-run'),
    ]),
    subjectIds: SubjectIds,
    ...named,
    events: Type.Integer({ description: 'Events by or about the person.' }),
    inClear: Type.Integer({
      description:
        'Those of them that show the person after the erasure, because they were written before personal data was sealed.',
    }),
  }),
);

const ErasureList = answering<{ items: readonly Erasure[] }>(
  Type.Object({
    items: Type.Array(
      Type.Object({
        subjectId: Type.String(),
        erasedAt: Timestamp,
        position: nullable(ExactPosition),
        isDone: Type.Boolean(),
      }),
    ),
  }),
);

/** What is known about a person, and how it is erased. Values come in bodies, which are in no log. */
export const personalDataRoutes =
  (personal: PersonalDataRequests): FastifyPluginAsyncTypebox =>
  async (app) => {
    const route = router(app, { tag: 'personal data', permission: 'personal-data.read' });

    route('POST', '/personal-data/export', 'Everything that is known about one person', {
      isHeavy: true,
      body: PersonBody,
      answer: Exported,
      run: async ({ caller, body }) => personal.export(caller.organizationId, body.value),
    });

    const about = 'Destroy the key of all that is stored about one person, for good';
    route('POST', '/personal-data/erase', about, {
      permission: 'personal-data.erase',
      isHeavy: true,
      query: CommandQuery.properties,
      headers: RepeatableHeaders,
      body: PersonBody,
      preValidation: nameCommand,
      answer: ErasedAnswer,
      run: async (request, reply) => {
        const { caller, body, query } = request;
        const how = { metadata: metadataOf(request), dryRun: query.dryRun ?? false };
        const erase = () => personal.erase(caller.organizationId, body.value, how);
        // The answer names who was erased by number only.
        return batchUnderItsKey(request, reply, { namesPeople: false, run: erase });
      },
    });

    const aboutErasures = 'Who was erased, by number, and how far that has come';
    route('GET', '/personal-data/erasures', aboutErasures, {
      answer: ErasureList,
      run: async ({ caller }) => ({ items: await personal.erasures(caller.organizationId) }),
    });
  };

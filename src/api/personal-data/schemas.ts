import { Type } from '@sinclair/typebox';
import { type Erasure } from '../../queries/personal-data/erasures.js';
import { answering, nullable } from '../query-routes/view-schemas.js';
import { closed, ExactPosition, Position, Timestamp } from '../schemas.js';
import { type Erased, type PersonalExport } from './requests.js';

export const PersonBody = Type.Object(
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
  description: 'What this person is called once erased: `erased:<id>`.',
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

export const Exported = answering<PersonalExport>(
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
        isOwnAction: Type.Boolean(),
        ip: Text,
        userAgent: Text,
      }),
    ),
    isComplete: Type.Boolean({ description: 'False when there are more events than these.' }),
  }),
);

export const ErasedAnswer = answering<Erased>(
  Type.Object({
    result: Type.Union([
      Type.Literal('erased'),
      Type.Literal('unchanged'),
      Type.Literal('dry-run'),
    ]),
    subjectIds: SubjectIds,
    ...named,
    events: Type.Integer({ description: 'That name the person, or that the person did.' }),
  }),
);

export const ErasureList = answering<{ items: readonly Erasure[] }>(
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

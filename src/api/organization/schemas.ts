import { type TSchema, Type } from '@sinclair/typebox';
import { PROJECT_ROLES, type ProjectRoles, ROLES } from '../../domain/access/permission.js';
import { KEY_PATTERN } from '../../domain/streams.js';
import { Password } from '../sessions/schemas.js';
import { CommandAnswer } from '../http/command-route.js';
import { closed, Name, Position, Revision, Timestamp } from '../http/schemas.js';

const literals = <Names extends readonly string[]>(names: Names) =>
  Type.Unsafe<Names[number]>(Type.Union(names.map((name) => Type.Literal(name))));

const Role = literals(ROLES);
const FormerOwnersRole = literals(ROLES.filter((role) => role !== 'owner'));

/** Project key → role there. */
const Projects = Type.Unsafe<ProjectRoles>(
  Type.Record(Type.String({ pattern: KEY_PATTERN }), literals(PROJECT_ROLES), {
    ...closed,
    maxProperties: 200,
    description: 'Roles in projects, by key; the wider of both roles counts.',
  }),
);

/** Kept trimmed, in lower case, in NFC. */
const Email = Type.String({
  maxLength: 254,
  pattern: '^\\s*[^\\s@\\u0000-\\u001f\\u007f]+@[^\\s@\\u0000-\\u001f\\u007f]+\\s*$',
});

export const UserParams = Type.Object({
  user: Type.String({ pattern: '^usr_[0-9A-Za-z]{12}$', description: 'The id of the user.' }),
});

export const InvitationParams = Type.Object({
  invitation: Type.String({ pattern: '^[0-9A-Za-z]{12}$', description: 'The id.' }),
});

export const Registration = Type.Object(
  { name: Name, owner: Type.Object({ email: Email, password: Password }, closed) },
  closed,
);

export const Acceptance = Type.Object(
  { token: Type.String({ maxLength: 200 }), password: Password },
  closed,
);

export const NewName = Type.Object({ name: Name }, closed);

export const Roles = Type.Object({ role: Role, projects: Type.Optional(Projects) }, closed);

export const NewInvitation = Type.Object(
  {
    email: Email,
    role: Role,
    projects: Type.Optional(Projects),
    expiresInDays: Type.Optional(Type.Integer({ minimum: 1, maximum: 30, default: 7 })),
  },
  closed,
);

export const Ownership = Type.Object(
  {
    to: Type.String({ pattern: '^usr_[0-9A-Za-z]{12}$', description: 'The member to be owner.' }),
    role: Type.Optional(FormerOwnersRole),
  },
  closed,
);

const withIds = <Ids extends Readonly<Record<string, TSchema>>>(ids: Ids) =>
  Type.Composite([CommandAnswer, Type.Object(ids)]);

/** For registration and for accepting an invitation. */
export const AccountAnswer = withIds({ organizationId: Type.String(), userId: Type.String() });

export const InvitedAnswer = withIds({ invitationId: Type.String() });

/** What stands in the answer of every question about an organization. */
const standing = {
  revision: Revision,
  position: Position,
};

export const OrganizationAnswer = Type.Object({
  organizationId: Type.String(),
  name: Type.String(),
  createdAt: Timestamp,
  updatedAt: Timestamp,
  ...standing,
});

const person = { email: Type.String(), role: Role, projects: Projects };

export const MemberList = Type.Object({
  items: Type.Array(Type.Object({ userId: Type.String(), ...person })),
  ...standing,
});

export const InvitationList = Type.Object({
  items: Type.Array(Type.Object({ invitationId: Type.String(), ...person, expiresAt: Timestamp }), {
    description: 'Neither accepted nor revoked.',
  }),
  ...standing,
});

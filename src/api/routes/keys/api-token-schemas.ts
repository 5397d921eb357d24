import { type Static, Type } from '@sinclair/typebox';
import { PROJECT_ROLES, type Role, ROLES } from '../../../domain/access/role.js';
import { KEY_PATTERN } from '../../../domain/streams.js';
import { CommandAnswer } from '../../command-route.js';
import { closed, Name } from '../../schemas.js';
import { lifecycle, lifecycleOf } from './lifecycle.js';
import { type ListedToken } from '../../../identity/key-ports.js';

const Role = Type.Union(
  ROLES.map((role) => Type.Literal(role)),
  { description: 'In the whole organization; none: only what the roles in projects give.' },
);

const ProjectRole = Type.Union(PROJECT_ROLES.map((role) => Type.Literal(role)));

const Projects = Type.Record(Type.String({ pattern: KEY_PATTERN }), ProjectRole, {
  ...closed,
  maxProperties: 200,
  description: 'Project key → role there, besides the role in the organization. The wider counts.',
});

export const TokenParams = Type.Object({
  token: Type.String({ pattern: '^[0-9A-Za-z]{12}$', description: 'The id of the token.' }),
});

export const NewToken = Type.Object(
  {
    name: Name,
    role: Role,
    projects: Type.Optional(Projects),
    expiresAt: Type.Optional(
      Type.String({ format: 'date-time', description: 'RFC 3339; absent: never.' }),
    ),
  },
  closed,
);

export const IssuedToken = Type.Composite([
  CommandAnswer,
  Type.Object({
    tokenId: Type.String(),
    token: Type.Optional(
      Type.String({ description: 'Only in the first answer: it is kept nowhere.' }),
    ),
  }),
]);

const Listed = Type.Object({
  tokenId: Type.String(),
  name: Type.String(),
  role: Role,
  projects: Projects,
  ...lifecycle,
});

export const TokenList = Type.Object({ items: Type.Array(Listed) });

/** A token as it is listed. */
export const tokenView = ({
  keyId: tokenId,
  name,
  role,
  projects,
  ...rest
}: ListedToken): Static<typeof Listed> => ({
  ...{ tokenId, name, role, projects: { ...projects } },
  ...lifecycleOf(rest),
});

import { type Static, Type } from '@sinclair/typebox';
import { closed, Timestamp } from '../http/schemas.js';
import { ACCESS_TOKEN_SECONDS } from './access-tokens.js';
import { type OpenSession, type SessionView } from '../../identity/ports.js';

/** How it was typed may take several characters for one; the policy counts them as one. Longer ones are not looked at. */
export const Password = Type.String({ minLength: 1, maxLength: 1_000 });

const Cookies = Type.Optional(
  Type.Boolean({
    description: 'true: for a web page; the tokens come in cookies that no script can read.',
  }),
);

export const LoginBody = Type.Object(
  {
    organization: Type.String({ minLength: 1, maxLength: 100, description: 'Its id.' }),
    email: Type.String({ minLength: 3, maxLength: 320 }),
    password: Password,
    cookies: Cookies,
  },
  closed,
);

export const RefreshBody = Type.Object(
  {
    refreshToken: Type.Optional(
      Type.String({ maxLength: 2_000, description: 'Absent: the one in the cookie.' }),
    ),
  },
  closed,
);

export const PasswordBody = Type.Object(
  { currentPassword: Password, newPassword: Password },
  closed,
);

const SessionId = Type.String({ pattern: '^ses_[0-9A-Za-z]{12}$' });
export const SessionParams = Type.Object({ session: SessionId });

export const SessionAnswer = Type.Object({
  organizationId: Type.String(),
  userId: Type.String(),
  sessionId: SessionId,
  method: Type.String({ description: 'password or oidc.' }),
  tokenType: Type.Literal('Bearer'),
  expiresIn: Type.Integer({ description: 'Seconds that the access token is valid.' }),
  accessToken: Type.Optional(Type.String()),
  refreshToken: Type.Optional(Type.String({ description: 'Valid for one refresh.' })),
});

export const EndedAnswer = Type.Object({ ended: Type.Array(SessionId) });

const Listed = Type.Object({
  sessionId: SessionId,
  isCurrent: Type.Boolean(),
  method: Type.String(),
  userAgent: Type.Union([Type.String(), Type.Null()]),
  startedAt: Timestamp,
  refreshedAt: Timestamp,
  expiresAt: Timestamp,
});
export const SessionList = Type.Object({ items: Type.Array(Listed) });

/** `hasCookies`: the tokens go there, and not into the answer. */
export const answerOf = (
  { accessToken, refreshToken, ...person }: OpenSession,
  hasCookies: boolean,
): Static<typeof SessionAnswer> => ({
  ...person,
  tokenType: 'Bearer',
  expiresIn: ACCESS_TOKEN_SECONDS,
  ...(hasCookies ? {} : { accessToken, refreshToken }),
});

export const listed = (
  { startedAt, refreshedAt, expiresAt, ...session }: SessionView,
  current: string,
): Static<typeof Listed> => ({
  ...session,
  isCurrent: session.sessionId === current,
  startedAt: startedAt.toISOString(),
  refreshedAt: refreshedAt.toISOString(),
  expiresAt: expiresAt.toISOString(),
});

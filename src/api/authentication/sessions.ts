import { type Actor, type Metadata } from '../../domain/metadata.js';
import { type LoginMethod } from '../../domain/session/events.js';

/** What is written next to the events of a request, once it is known whose they are. */
export type Origin = (actor: Actor) => Metadata;

/** Somebody in a session. */
export type Person = Readonly<{
  organizationId: string;
  userId: string;
  sessionId: string;
  method: LoginMethod;
}>;

/** A session and the tokens of it, which are nowhere else. */
export type OpenSession = Person & Readonly<{ accessToken: string; refreshToken: string }>;

export type SessionView = Readonly<{
  sessionId: string;
  method: LoginMethod;
  userAgent: string | null;
  startedAt: Date;
  refreshedAt: Date;
  expiresAt: Date;
}>;

export type Login = Readonly<{ organizationId: string; email: string; password: string }>;

export type NewPassword = Readonly<{ currentPassword: string; newPassword: string }>;

export type Sessions = Readonly<{
  /** Undefined for everybody but a member with the right password; nothing tells why. */
  logIn: (login: Login, origin: Origin) => Promise<OpenSession | undefined>;
  /** Undefined when the token does not count (any more). */
  refresh: (refreshToken: string, origin: Origin) => Promise<OpenSession | undefined>;
  /** Ends the session of the caller, or `all` of the same person. @returns the ids of those that ended */
  logOut: (person: Person, all: boolean, origin: Origin) => Promise<readonly string[]>;
  /** Ends another session of the same person. @returns false when there is none with this id */
  revoke: (person: Person, sessionId: string, origin: Origin) => Promise<boolean>;
  list: (person: Person) => Promise<readonly SessionView[]>;
  /** @returns the ids of all other sessions, which end. @throws DomainError `weak-password`, `wrong-password` */
  changePassword: (
    person: Person,
    passwords: NewPassword,
    origin: Origin,
  ) => Promise<readonly string[]>;
}>;

import { type OpenSession, type Origin } from '../api/authentication/sessions.js';

/** Logging in at an OpenID provider. */
export type OidcLogins = Readonly<{
  start: (
    wanted: Readonly<{ organizationId: string; hasCookies: boolean }>,
  ) => Promise<Readonly<{ url: string; sealed: string }>>;
  /** Undefined when the provider's answer proves no member. */
  finish: (
    answered: Readonly<{ sealed: string; answer: URLSearchParams }>,
    origin: Origin,
  ) => Promise<Readonly<{ session: OpenSession; hasCookies: boolean }> | undefined>;
}>;

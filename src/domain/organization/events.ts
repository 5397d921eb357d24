import { type Event } from '../decider.js';

/**
 * `admin` sends commands and asks everything. Application keys are for one environment: `server` evaluates in any
 * way, `client` may be seen by anybody, so it only evaluates all flags at once and hears of changes.
 */
export type ApplicationKeyKind = 'server' | 'client';
export type ApiKeyKind = 'admin' | ApplicationKeyKind;

// Names and shapes are the storage format: add optional fields, never rename or re-mean.
export type OrganizationRegistered = Event<'OrganizationRegistered', { name: string }>;

/** The key itself is never in an event: only what may be logged. `projectId` and `environment`: of application keys. */
export type ApiKeyIssued = Event<
  'ApiKeyIssued',
  {
    keyId: string;
    kind: ApiKeyKind;
    name: string;
    prefix: string;
    projectId?: string;
    environment?: string;
    /** RFC 3339, UTC. Absent: it does not expire. */
    expiresAt?: string;
  }
>;
export type ApiKeyRevoked = Event<
  'ApiKeyRevoked',
  { keyId: string; projectId?: string; environment?: string }
>;

export type OrganizationEvent = OrganizationRegistered;
export type ApiKeyEvent = ApiKeyIssued | ApiKeyRevoked;

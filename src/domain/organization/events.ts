import { type Event } from '../decider.js';

// Names and shapes are the storage format: add optional fields, never rename or re-mean.
export type OrganizationRegistered = Event<'OrganizationRegistered', { name: string }>;

/** The key itself is never in an event: only what may be logged. */
export type ApiKeyIssued = Event<
  'ApiKeyIssued',
  { keyId: string; kind: 'admin'; name: string; prefix: string }
>;
export type ApiKeyRevoked = Event<'ApiKeyRevoked', { keyId: string }>;

export type OrganizationEvent = OrganizationRegistered;
export type ApiKeyEvent = ApiKeyIssued | ApiKeyRevoked;

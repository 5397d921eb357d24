import { type Event } from '../decider.js';

/** `isProtected`: absent in events from before there was such a thing, and where it never was. */
type EnvironmentContent = {
  environment: string;
  name: string;
  description: string;
  color: string;
  isProduction: boolean;
  isProtected?: boolean;
};

// Names and shapes are the storage format: add optional fields, never rename or re-mean.
export type ProjectCreated = Event<
  'ProjectCreated',
  { organizationId: string; key: string; name: string; description: string }
>;
export type ProjectDetailsChanged = Event<
  'ProjectDetailsChanged',
  { name: string; description: string }
>;
export type ProjectDeleted = Event<'ProjectDeleted', Record<string, never>>;
export type ProjectRestored = Event<'ProjectRestored', Record<string, never>>;
export type EnvironmentAdded = Event<'EnvironmentAdded', EnvironmentContent>;
export type EnvironmentDetailsChanged = Event<'EnvironmentDetailsChanged', EnvironmentContent>;
export type EnvironmentDeleted = Event<'EnvironmentDeleted', { environment: string }>;
export type EnvironmentRestored = Event<'EnvironmentRestored', { environment: string }>;

export type ProjectEvent =
  | ProjectCreated
  | ProjectDetailsChanged
  | ProjectDeleted
  | ProjectRestored
  | EnvironmentAdded
  | EnvironmentDetailsChanged
  | EnvironmentDeleted
  | EnvironmentRestored;

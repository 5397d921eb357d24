import { absentApiKey, type ApiKey, evolveApiKey } from './api-key.js';
import { type Event } from './decider.js';
import { type FlagEvent } from './flag/events.js';
import { absentFlag, evolveFlag, type Flag } from './flag/flag.js';
import {
  absentOrganization,
  type ApiKeyEvent,
  evolveOrganization,
  type Organization,
  type OrganizationEvent,
} from './organization.js';
import { absentProject, evolveProject, type Project, type ProjectEvent } from './project.js';
import { type CommandsRefused, evolveRefusals, noRefusals, type Refusals } from './refusals.js';
import { absentSegment, evolveSegment, type Segment, type SegmentEvent } from './segment.js';
import { evolveSessions, noSessions, type SessionEvent, type Sessions } from './session.js';

/** What the events of a stream make: what it is before the first, and after each. */
type Fold<State, E extends Event> = Readonly<{
  initialState: State;
  evolve: (state: State, event: E) => State;
}>;

type Kinds = Readonly<{
  organization: Readonly<{ state: Organization; event: OrganizationEvent }>;
  project: Readonly<{ state: Project; event: ProjectEvent }>;
  flag: Readonly<{ state: Flag; event: FlagEvent }>;
  segment: Readonly<{ state: Segment; event: SegmentEvent }>;
  apiKey: Readonly<{ state: ApiKey; event: ApiKeyEvent }>;
  session: Readonly<{ state: Sessions; event: SessionEvent }>;
  refusals: Readonly<{ state: Refusals; event: CommandsRefused }>;
}>;

export type Aggregate = keyof Kinds;

export type StateOf<A extends Aggregate> = Kinds[A]['state'];
export type EventOf<A extends Aggregate> = Kinds[A]['event'];

/** A state that came to be. */
export type ExistingOf<A extends Aggregate> = Exclude<StateOf<A>, { status: 'absent' }>;

type Folds = { readonly [A in Aggregate]: Fold<StateOf<A>, EventOf<A>> };

/**
 * Every kind of stream that has a state, by its category (the first part of the stream's name). Folding, replaying and
 * snapshots go through this table; which of the states have rows says `src/projections/fold/aggregates.ts`.
 */
export const AGGREGATES: Folds = {
  organization: { initialState: absentOrganization, evolve: evolveOrganization },
  project: { initialState: absentProject, evolve: evolveProject },
  flag: { initialState: absentFlag, evolve: evolveFlag },
  segment: { initialState: absentSegment, evolve: evolveSegment },
  apiKey: { initialState: absentApiKey, evolve: evolveApiKey },
  session: { initialState: noSessions, evolve: evolveSessions },
  refusals: { initialState: noRefusals, evolve: evolveRefusals },
};

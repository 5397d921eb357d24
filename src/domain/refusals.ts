import { type Event } from './decider.js';

/** One kind of refused command. `path` is the address without its query. */
export type Refusal = Readonly<{
  /** A code of docs/errors.md. */
  code: string;
  status: number;
  method: string;
  path: string;
  count: number;
}>;

// Names and shapes are the storage format: add optional fields, never rename or re-mean.
/** What a known caller tried and was refused. `since`: RFC 3339, UTC. `more`: refusals of further kinds. */
export type CommandsRefused = Event<
  'CommandsRefused',
  { since: string; refusals: readonly Refusal[]; more: number }
>;

/** `since` of the last event. */
export type Refusals = Readonly<{ status: 'absent' } | { status: 'known'; since: string }>;

export const noRefusals: Refusals = { status: 'absent' };

/** Folds one event into the state. Trusts history: never validates, never throws. */
export const evolveRefusals = (_: Refusals, { data }: CommandsRefused): Refusals => ({
  status: 'known',
  since: data.since,
});

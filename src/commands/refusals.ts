import { type Command, type Decider } from '../domain/decider.js';
import {
  type CommandsRefused,
  evolveRefusals,
  noRefusals,
  type Refusals,
} from '../domain/refusals.js';

/** `actorId`: of the caller who was refused. */
export type RecordRefusals = Command<
  'RecordRefusals',
  CommandsRefused['data'] & { organizationId: string; actorId: string }
>;

export const refusalsDecider: Decider<Refusals, RecordRefusals, CommandsRefused> = {
  initialState: noRefusals,
  evolve: evolveRefusals,
  decide: ({ data: { since, refusals, more } }) =>
    refusals.length === 0 ? [] : [{ type: 'CommandsRefused', data: { since, refusals, more } }],
};

import { setTimeout as delay } from 'node:timers/promises';
import { type Position } from '../../domain/position.js';
import { withDeadline } from '../deadline.js';
import { type GrantsMemory, type OrganizationMembers } from './grants-memory.js';

/** With the projector's pace, what another process changed counts here well within a second. */
const POLL_MS = 300;
const POSTGRES_MS = 2_000;

type GrantsSupplyOptions = Readonly<{
  memory: GrantsMemory;
  /** Some of those that changed after a log position, in the order of their positions; none: there are no more. */
  changedAfter: (position: Position) => Promise<readonly OrganizationMembers[]>;
}>;

/** Keeps the grants in memory as they are in the read model; while that is away what was known goes on counting. */
export const grantsSupply = ({ memory, changedAfter }: GrantsSupplyOptions) => {
  const closing = new AbortController();
  let position: Position = -1;

  const refresh = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      const changed = await withDeadline(
        changedAfter(position),
        POSTGRES_MS,
        () => new Error('Postgres did not answer in time.'),
      );
      for (const organization of changed) memory.adopt(organization);
      const last = changed.at(-1);
      if (last === undefined) return;
      position = last.position;
    }
  };

  const poll = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      await delay(POLL_MS, undefined, { signal: closing.signal }).catch(() => undefined);
      await refresh().catch(() => undefined);
    }
  };

  let polling: Promise<void> | undefined;
  return {
    /** Settles when all that the read model has is known; never rejects: the next look will do. */
    start: async (): Promise<void> => {
      await refresh().catch(() => undefined);
      polling = poll();
    },
    close: async (): Promise<void> => {
      closing.abort();
      await polling;
    },
  };
};

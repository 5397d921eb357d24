import { DomainError } from '../domain/decider.js';
import { CommandNotStarted, EventStoreUnavailable, WrongRevision } from './event-store.js';

/** An Idempotency-Key of an organization, and the hash of the command that it is sent with. */
export type CommandKey = Readonly<{
  organizationId: string;
  commandId: string;
  commandHash: string;
}>;

/** `same`: this command had it before; `other`: another one had. */
export type Claim = 'new' | 'same' | 'other';

/** Port to the keys that were used, whichever stream the command was for. */
export type CommandKeys = Readonly<{
  /** Never rejects: a key that cannot be looked up counts as new. */
  claim: (key: CommandKey) => Promise<Claim>;
  release: (key: CommandKey) => Promise<void>;
}>;

/** Whether an error says that nothing was written. */
const hasWrittenNothing = (error: unknown): boolean =>
  [DomainError, WrongRevision, EventStoreUnavailable, CommandNotStarted].some(
    (kind) => error instanceof kind,
  );

/**
 * Does the work of a command under its key. A command that wrote nothing leaves the key free.
 * @throws DomainError `idempotency-key-reused`, and whatever the work throws
 */
export const underKey = async <Outcome extends Readonly<{ kind: string }>>(
  keys: CommandKeys,
  key: CommandKey,
  work: (claim: Claim) => Promise<Outcome>,
): Promise<Outcome> => {
  const claim = await keys.claim(key);
  if (claim === 'other')
    throw new DomainError(
      'idempotency-key-reused',
      'The Idempotency-Key was used for another command; use a new one.',
    );
  const release = async (): Promise<void> => {
    if (claim === 'new') await keys.release(key);
  };
  try {
    const outcome = await work(claim);
    if (outcome.kind === 'unchanged') await release();
    return outcome;
  } catch (error) {
    if (hasWrittenNothing(error)) await release();
    throw error;
  }
};

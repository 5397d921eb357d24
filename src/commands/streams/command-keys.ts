import { DomainError } from '../../domain/decider.js';
import { CommandNotStarted, EventStoreUnavailable, WrongRevision } from './event-store.js';

/** An Idempotency-Key of an organization, and the hash of the command that it is sent with. */
export type CommandKey = Readonly<{
  organizationId: string;
  commandId: string;
  commandHash: string;
}>;

/** `same`: this command had it before; `other`: another one had. */
export type Claim = 'new' | 'same' | 'other';

/** What a batch answers, and whether it may show values of people. */
export type BatchWork<Answer> = Readonly<{
  namesPeople: boolean;
  run: () => Promise<Answer>;
}>;

export type BatchOutcome<Answer> = Readonly<{ answer: Answer; isRepeat: boolean }>;

/** Port to the keys that were used, whichever stream the command was for. */
export type UsedKeys = Readonly<{
  /** Never rejects: a key that cannot be looked up counts as new. */
  claim: (key: CommandKey) => Promise<Claim>;
  release: (key: CommandKey) => Promise<void>;
}>;

/** The same for requests that are many commands, too. */
export type CommandKeys = UsedKeys &
  Readonly<{
    /**
     * Runs a batch whose key is claimed, or gives the answer that it had. While another request runs it, this one waits.
     * Rejects only when the batch does.
     */
    batch: <Answer>(key: CommandKey, work: BatchWork<Answer>) => Promise<BatchOutcome<Answer>>;
  }>;

/** Whether an error says that nothing was written. */
const hasWrittenNothing = (error: unknown): boolean =>
  [DomainError, WrongRevision, EventStoreUnavailable, CommandNotStarted].some(
    (kind) => error instanceof kind,
  );

/** @throws DomainError `idempotency-key-reused` */
const claimed = async (keys: UsedKeys, key: CommandKey): Promise<'new' | 'same'> => {
  const claim = await keys.claim(key);
  if (claim === 'other')
    throw new DomainError(
      'idempotency-key-reused',
      'The Idempotency-Key was used for another command; use a new one.',
    );
  return claim;
};

/**
 * Does the work of a command under its key. A command that wrote nothing leaves the key free.
 * @throws DomainError `idempotency-key-reused`, and whatever the work throws
 */
export const underKey = async <Outcome extends Readonly<{ kind: string }>>(
  keys: UsedKeys,
  key: CommandKey,
  work: (claim: Claim) => Promise<Outcome>,
): Promise<Outcome> => {
  const claim = await claimed(keys, key);
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

/**
 * Does the work of many commands under one key. The key stays used whatever comes of it: a part may be written.
 * @throws DomainError `idempotency-key-reused`, and whatever the work throws
 */
export const batchUnderKey = async <Answer>(
  keys: CommandKeys,
  key: CommandKey,
  work: BatchWork<Answer>,
): Promise<BatchOutcome<Answer>> => {
  await claimed(keys, key);
  return keys.batch(key, work);
};

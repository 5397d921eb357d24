import { type KeyHandle, type SecretMaking } from '../identity/key-ports.js';
import { type CommandOutcome } from '../commands/command.js';
import { type ApiKey } from '../domain/organization/api-key.js';
import { type ApiKeyEvent } from '../domain/organization/events.js';

/**
 * A command that gives a key a secret, which `make` stores the hash of and answers. It is logged before, so that none
 * works that the log does not know; what is interrupted in between works for nobody. Two processes that get one command
 * at the same time both believe to have logged it: `make` answers undefined to the one whose secret was not stored.
 */
export const secretMaking = (
  commands: KeyHandle,
  make: (outcome: CommandOutcome<ApiKey, ApiKeyEvent>) => Promise<string | undefined>,
): SecretMaking => {
  let secret: string | undefined;
  return {
    handle: async (request) => {
      const outcome = await commands(request);
      if (outcome.kind !== 'recorded') return outcome;
      secret = await make(outcome);
      return secret === undefined
        ? { ...outcome, kind: 'repeated' }
        : { ...outcome, isFirst: true };
    },
    secret: () => secret,
  };
};

/** What a rotation was logged as: the time of the command is not kept longer than the key itself. */
export const rotationOf = ({ after, revision }: CommandOutcome<ApiKey, ApiKeyEvent>) => ({
  overlapUntil: new Date((after.status !== 'absent' && after.overlapUntil) || 0),
  revision,
});

/** A key is refused before its revocation is logged; when that is interrupted, it is completed by revoking again. */
export const revoking =
  (commands: KeyHandle, revoke: () => Promise<void>): KeyHandle =>
  async (request) => {
    const asked = await commands({ ...request, dryRun: true });
    if (request.dryRun === true) return asked;
    await revoke();
    return commands(request);
  };

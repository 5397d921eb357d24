import { type SecretMaking } from '../api/routes/keys/application-keys.js';
import { type ApiKey } from '../domain/organization/api-key.js';
import { type WriteSide } from './write-side.js';

type Keys = WriteSide['apiKeys'];

/**
 * A command that gives a key a secret, which `make` stores the hash of and answers. It is logged before, so that none
 * works that the log does not know; what is interrupted in between works for nobody.
 */
export const secretMaking = (
  commands: Keys,
  make: (apiKey: ApiKey) => Promise<string>,
): SecretMaking => {
  let secret: string | undefined;
  return {
    handle: async (request) => {
      const outcome = await commands(request);
      if (outcome.kind === 'recorded') secret = await make(outcome.after);
      return outcome;
    },
    secret: () => secret,
  };
};

/** A key is refused before its revocation is logged; when that is interrupted, it is completed by revoking again. */
export const revoking =
  (commands: Keys, revoke: () => Promise<void>): Keys =>
  async (request) => {
    const asked = await commands({ ...request, dryRun: true });
    if (request.dryRun === true) return asked;
    await revoke();
    return commands(request);
  };

import { availableParallelism } from 'node:os';
import { hash, parseOptions, verify } from '@node-rs/argon2';
import { workLimit } from './work-limit.js';

/** OWASP Password Storage Cheat Sheet: argon2id, 19 MiB, 2 passes. Raise them, and logins bring old hashes up to date. */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** Of a password that nobody has: what is checked for those who have no account. */
const NOBODYS =
  '$argon2id$v=19$m=19456,t=2,p=1$c29tZSBzYWx0IG9mIDE2IQ$c29tZSBoYXNoIHRoYXQgbm90aGluZyBoYXNoZXMgdG8';

/** Every hash holds 19 MiB and a core for some 15 ms. */
const HASHES = { atOnce: Math.max(1, availableParallelism() - 1), waiting: 100 };

/** Different keyboards write the same character differently. Unicode TR15. */
const normalised = (password: string): string => password.normalize('NFKC');

const isCurrent = (stored: string): boolean => {
  const options = parseOptions(stored);
  return (['memoryCost', 'timeCost', 'parallelism'] as const).every(
    (name) => options[name] === PARAMETERS[name],
  );
};

/** `isOutdated`: right, but hashed with other parameters than those of today. */
export type Verdict = Readonly<{ isRight: boolean; isOutdated: boolean }>;

const WRONG: Verdict = { isRight: false, isOutdated: false };

/** argon2id, few at once. Both reject with a DomainError `overloaded` when too many wait. */
export const passwordHashes = (limits = HASHES) => {
  const inTurn = workLimit(limits);
  const check = async (stored: string, password: string): Promise<Verdict> =>
    (await verify(stored, normalised(password)))
      ? { isRight: true, isOutdated: !isCurrent(stored) }
      : WRONG;

  return {
    hash: (password: string): Promise<string> =>
      inTurn(() => hash(normalised(password), PARAMETERS)),

    /** Takes as long for a hash that is not there, or is none. */
    verify: (stored: string | undefined, password: string): Promise<Verdict> =>
      inTurn(() => {
        const nobody = async (): Promise<Verdict> => ({
          ...(await check(NOBODYS, password)),
          isRight: false,
        });
        return stored === undefined ? nobody() : check(stored, password).catch(nobody);
      }),
  };
};

export type PasswordHashes = ReturnType<typeof passwordHashes>;

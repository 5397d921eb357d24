import { availableParallelism } from 'node:os';
import { hash, parseOptions, verify } from '@node-rs/argon2';
import { dictionary } from '@zxcvbn-ts/language-common';
import { DomainError } from '../../domain/decider.js';

/**
 * Runs at most `atOnce` pieces of work side by side; the others wait in turn, `waiting` of them at most.
 * @throws DomainError `overloaded` when too many wait
 */
const workLimit = ({ atOnce, waiting }: Readonly<{ atOnce: number; waiting: number }>) => {
  const queue: (() => void)[] = [];
  let running = 0;

  const turn = async (): Promise<void> => {
    if (running < atOnce) {
      running += 1;
      return;
    }
    if (queue.length >= waiting)
      throw new DomainError('overloaded', 'Too many passwords are being checked; try again.');
    await new Promise<void>((resolve) => queue.push(resolve));
  };

  /** Hands the place to the next in the queue, so that nobody overtakes. */
  const leave = (): void => {
    const next = queue.shift();
    if (next === undefined) running -= 1;
    else next();
  };

  return async <T>(work: () => Promise<T>): Promise<T> => {
    await turn();
    try {
      return await work();
    } finally {
      leave();
    }
  };
};

/** OWASP Password Storage Cheat Sheet: argon2id, 19 MiB, 2 passes. Raise them, and logins bring old hashes up to date. */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** Hash of a password that nobody has: checked for people without an account, so that it takes as long. */
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
type Verdict = Readonly<{ isRight: boolean; isOutdated: boolean }>;

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

/** In characters. NIST SP 800-63B asks for no rules on which; the upper bound keeps hashing cheap. */
const SHORTEST = 12;
const LONGEST_PASSWORD = 128;

/** What a password is not to be made of. */
export type PasswordOwner = Readonly<{ email: string; organizationId: string }>;

const COMMON: ReadonlySet<string> = new Set(dictionary['passwords-common']);

/** The shortest text that, repeated, makes the whole. */
const repeatedPart = (text: string): string => text.slice(0, (text + text).indexOf(text, 1));

/** A word with digits and signs around it is still that word. */
const bare = (text: string): string => text.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, '');

const isCommon = (text: string): boolean =>
  [text, repeatedPart(text), bare(text), repeatedPart(bare(text))].some((one) => COMMON.has(one));

const DIGITS = '1234567890'.repeat(LONGEST_PASSWORD / 10 + 1);

/** `aaaa`, `1234`, `dcba`: every character a fixed step from the one before; digits begin again. */
const isRun = (text: string): boolean => {
  const codes = Array.from(text, (character) => character.codePointAt(0) ?? 0);
  const steps = new Set(codes.slice(1).map((code, nth) => code - (codes[nth] ?? 0)));
  return DIGITS.includes(text) || (steps.size === 1 && [-1, 0, 1].some((step) => steps.has(step)));
};

const isOwn = (text: string, { email, organizationId }: PasswordOwner): boolean => {
  const own = email.toLowerCase();
  const names = [own, own.slice(0, own.lastIndexOf('@')), organizationId.toLowerCase()];
  return names.some((name) => text === name || bare(text) === bare(name));
};

/** Why a password is not taken, for people; undefined when it is. */
const weaknessOf = (password: string, owner: PasswordOwner): string | undefined => {
  const text = password.normalize('NFKC').toLowerCase();
  const { length } = Array.from(text);
  if (length < SHORTEST) return `It needs ${SHORTEST} characters or more.`;
  if (length > LONGEST_PASSWORD) return `It may have ${LONGEST_PASSWORD} characters at most.`;
  if (isCommon(text) || isRun(text)) return 'Too many people use it.';
  return isOwn(text, owner) ? 'It is your address or organization.' : undefined;
};

/** @throws DomainError `weak-password` saying why */
export const requireGoodPassword = (password: string, owner: PasswordOwner): void => {
  const weakness = weaknessOf(password, owner);
  if (weakness !== undefined) throw new DomainError('weak-password', weakness);
};

import { setImmediate as giveWay } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { DomainError } from '../../domain/decider.js';
import { type PersonalText } from '../../domain/personal/person.js';
import { erasedText, mapTexts, sealedTexts, subjectIn } from '../../domain/personal/sealed-text.js';
import { withDeadline } from '../waiting.js';
import { openText, sealText } from './cipher.js';
import { JustErased, type StoredSubject, type SubjectTable } from './subject-table.js';

/** Within a command's own time; Postgres that is away refuses sooner. */
const ANSWER_MS = 800;
/** Persons asked for at once: a long list is many short answers, and the process serves others in between. */
const BATCH = 500;
/** A batch of a long list may come late, as its command has time: it is asked for again, which changes nothing. */
const BATCH_ATTEMPTS = 5;
/** Texts remembered each way. */
const REMEMBERED = 200_000;

/** Postgres did not give the keys. */
const unavailable = (cause?: unknown): DomainError => {
  const message = 'The keys of personal data cannot be reached.';
  const error = new DomainError('personal-data-unavailable', message);
  error.cause = cause;
  return error;
};

const justErased = (): DomainError =>
  new DomainError(
    'personal-data-erased',
    'A person who is named here was erased a moment ago. In a minute the value can be used anew.',
  );

const asked = async <T>(answer: Promise<T>): Promise<T> => {
  try {
    return await withDeadline(answer, ANSWER_MS, unavailable);
  } catch (error) {
    if (error instanceof JustErased) throw justErased();
    throw error instanceof DomainError ? error : unavailable(error);
  }
};

const askedAgain = async <T>(ask: () => Promise<T>): Promise<T> => {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await asked(ask());
    } catch (error) {
      const isAway = error instanceof DomainError && error.code === 'personal-data-unavailable';
      if (!isAway || attempt === BATCH_ATTEMPTS) throw error;
    }
  }
};

/** What `ask` answers for all of them, put together. @throws DomainError */
const askedInBatches = async <T>(
  all: readonly string[],
  ask: (some: readonly string[]) => Promise<ReadonlyMap<string, T>>,
): Promise<ReadonlyMap<string, T>> => {
  if (all.length <= BATCH) return asked(ask(all));
  const answers = new Map<string, T>();
  for (let next = 0; next < all.length; next += BATCH) {
    const some = all.slice(next, next + BATCH);
    for (const [name, answer] of await askedAgain(() => ask(some))) answers.set(name, answer);
  }
  return answers;
};

/** Gives way to others after each batch. */
async function* unhurried<T>(items: Iterable<T>): AsyncGenerator<T> {
  let count = 0;
  for (const item of items) {
    yield item;
    if ((count += 1) % BATCH === 0) await giveWay();
  }
}

const opened = (
  organizationId: string,
  sealed: string,
  { subjectId, key }: StoredSubject,
): string => {
  if (key === undefined) return erasedText(subjectId);
  try {
    return openText(key, { organizationId, subjectId }, sealed);
  } catch {
    // Altered, or not of this organization: it is shown as it is stored, and says nothing.
    return sealed;
  }
};

/**
 * Seals and opens personal texts. What was sealed or opened once is remembered, so that it costs a look-up; `forget`
 * drops all of it, when somebody was erased.
 */
export const personalData = (table: SubjectTable) => {
  const sealedOf = new LRUCache<string, string>({ max: REMEMBERED });
  const openedOf = new LRUCache<string, string>({ max: REMEMBERED });
  let generation = 0;

  const keep = (cache: LRUCache<string, string>, key: string, value: string, from: number) => {
    // What was asked before somebody was erased must not be remembered after.
    if (from === generation) cache.set(key, value);
    return value;
  };

  const sealer = async (
    organizationId: string,
    texts: readonly PersonalText[],
  ): Promise<(personal: PersonalText) => string> => {
    const from = generation;
    const keyOf = ({ person, text }: PersonalText) => `${organizationId}\n${person}\n${text}`;
    const sealed = new Map<string, string>();
    const missing = new Map<string, PersonalText>();
    for (const personal of texts) {
      const key = keyOf(personal);
      const known = sealedOf.get(key);
      if (known === undefined) missing.set(key, personal);
      else sealed.set(key, known);
    }
    if (missing.size > 0) {
      const persons = new Set([...missing.values()].map(({ person }) => person));
      const subjects = await askedInBatches([...persons], (some) =>
        table.getOrCreate(organizationId, some),
      );
      for await (const [key, { person, text }] of unhurried(missing)) {
        const { subjectId, key: subjectKey } = subjects.get(person) ?? {};
        if (subjectId === undefined || subjectKey === undefined) throw unavailable();
        const made = sealText(subjectKey, { organizationId, subjectId }, text);
        sealed.set(key, keep(sealedOf, key, made, from));
        keep(openedOf, `${organizationId}\n${made}`, text, from);
      }
    }
    return (personal) => {
      const text = sealed.get(keyOf(personal));
      if (text === undefined) throw unavailable();
      return text;
    };
  };

  const opener = async (
    organizationId: string,
    texts: ReadonlySet<string>,
  ): Promise<(text: string) => string> => {
    const from = generation;
    const found = new Map<string, string>();
    const missing: string[] = [];
    for (const text of texts) {
      const known = openedOf.get(`${organizationId}\n${text}`);
      if (known === undefined) missing.push(text);
      else found.set(text, known);
    }
    if (missing.length > 0) {
      const ids = new Set(missing.map(subjectIn));
      const subjects = await askedInBatches([...ids], (some) => table.byId(organizationId, some));
      for await (const text of unhurried(missing)) {
        const subject = subjects.get(subjectIn(text));
        if (subject === undefined) continue;
        const plain = opened(organizationId, text, subject);
        found.set(text, keep(openedOf, `${organizationId}\n${text}`, plain, from));
      }
    }
    return (text) => found.get(text) ?? text;
  };

  return {
    /** What seals these texts, and no others. @throws DomainError personal-data-unavailable, personal-data-erased */
    sealer,
    /** What opens these texts; all else stays as it is. @throws DomainError personal-data-unavailable */
    opener,
    /** Parsed JSON of one organization with every sealed text in it opened. */
    revealed: async <T>(organizationId: string, value: T): Promise<T> => {
      const texts = sealedTexts(value);
      return texts.size === 0 ? value : mapTexts(value, await opener(organizationId, texts));
    },
    /** Drops all keys and values from memory. */
    forget: (): void => {
      generation += 1;
      sealedOf.clear();
      openedOf.clear();
    },
  };
};

export type PersonalData = ReturnType<typeof personalData>;

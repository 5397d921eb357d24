import { LRUCache } from 'lru-cache';

/** Longest that an answer is given again; a change without an event (a rebuild, an erasure) shows after it. */
const AGAIN_MS = 250;
/** Pages of at most 200 items: some 20 MB at the very most. */
const MOST_ANSWERS = 200;

/**
 * Shares one run of `work` among all who ask while the one before is under way. A caller never gets a run that began
 * before it asked.
 */
export const sharedRuns = <Answer>(work: () => Promise<Answer>): (() => Promise<Answer>) => {
  let running: Promise<unknown> | undefined;
  let next: Promise<Answer> | undefined;
  const begin = async (before: Promise<unknown> | undefined): Promise<Answer> => {
    await before?.catch(() => undefined);
    next = undefined;
    const run = work();
    running = run;
    try {
      return await run;
    } finally {
      if (running === run) running = undefined;
    }
  };
  return () => (next ??= begin(running));
};

/**
 * Answers the same question again for a moment without asking. A question must name everything that its answer depends
 * on, the log position as well: every event has another one.
 */
export const recentAnswers = <Question extends object, Answer>(
  ask: (question: Question) => Promise<Answer>,
): ((question: Question) => Promise<Answer>) => {
  const recent = new LRUCache<string, Promise<Answer>>({
    max: MOST_ANSWERS,
    ttl: AGAIN_MS,
    ttlAutopurge: true,
  });
  return (question) => {
    const key = JSON.stringify(question, (_, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    );
    const known = recent.get(key);
    if (known !== undefined) return known;
    const answer = ask(question);
    recent.set(key, answer);
    answer.catch(() => recent.delete(key));
    return answer;
  };
};

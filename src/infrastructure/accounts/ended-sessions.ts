import { type EndedSession } from './session-table.js';

/** As long as an access token may live after its session ended, and a minute for clocks that differ. */
export const REMEMBERED_SECONDS = 16 * 60;

/** Sessions that ended lately, so that asking whether a token's session goes on waits for nothing. */
export const endedSessions = (clock: () => number = Date.now) => {
  /** Session id → when to forget it, in the order in which they were heard of. */
  const ended = new Map<string, number>();

  const forgetOld = (): void => {
    const now = clock();
    for (const [sessionId, until] of ended) {
      if (until > now) return;
      ended.delete(sessionId);
    }
  };

  return {
    add: (sessions: readonly Pick<EndedSession, 'sessionId'>[]): void => {
      const until = clock() + REMEMBERED_SECONDS * 1000;
      for (const { sessionId } of sessions) if (!ended.has(sessionId)) ended.set(sessionId, until);
      forgetOld();
    },
    has: (sessionId: string): boolean => ended.has(sessionId),
    size: (): number => ended.size,
  };
};

export type EndedSessions = ReturnType<typeof endedSessions>;

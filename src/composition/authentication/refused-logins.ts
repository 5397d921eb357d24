import { type Origin } from '../../api/authentication/sessions.js';
import { type SessionLog, STRANGER } from './session-log.js';

/** Members whose refused logins are counted at once; the one heard of longest ago is forgotten first. */
const MANY = 10_000;
const MINUTE_MS = 60_000;

type Counted = { minute: number; count: number };
type Person = Readonly<{ organizationId: string; userId: string }>;

/** Counts refused logins of members, and tells the log once a minute for each. `clock`: epoch milliseconds. */
export const refusedLogins = (sessionLog: SessionLog, clock: () => number = Date.now) => {
  const counted = new Map<string, Counted>();

  const countOf = (key: string): Counted => {
    const known = counted.get(key) ?? { minute: 0, count: 0 };
    counted.delete(key);
    counted.set(key, known);
    const [oldest] = counted.keys();
    if (counted.size > MANY && oldest !== undefined) counted.delete(oldest);
    return known;
  };

  /** Waits for nothing, so that it takes no longer to refuse a member than a stranger. */
  return (person: Person, origin: Origin): void => {
    const known = countOf(`${person.organizationId}:${person.userId}`);
    const minute = Math.floor(clock() / MINUTE_MS);
    known.count += 1;
    if (known.minute === minute) return;
    const { count } = known;
    known.minute = minute;
    known.count = 0;
    const since = new Date(minute * MINUTE_MS).toISOString();
    const command = { type: 'RefuseLogin', data: { ...person, count, since } } as const;
    void sessionLog.tell(command, origin(STRANGER), []);
  };
};

export type RefusedLogins = ReturnType<typeof refusedLogins>;

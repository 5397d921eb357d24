import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type Answer, type Question, request } from './service.js';

/** One command as its client saw it, over all its attempts with one Idempotency-Key. */
export type CommandRecord = Readonly<{
  /** Idempotency-Key, and the command id in the log. */
  key: string;
  flag: string;
  /** `unknown`: no attempt brought an answer that says whether it was written. */
  outcome: 'recorded' | 'unchanged' | 'refused' | 'unknown';
  /** Of the stream after it, and of its last event, when recorded. */
  revision?: number;
  position?: number;
  statuses: readonly (number | 'broken')[];
  /** Of the problems among the answers. */
  codes: readonly string[];
  slowestMs: number;
}>;

export type EvaluationRecord = Readonly<{
  flag: string;
  /** Whom it was asked of. */
  process: string;
  /** Milliseconds on one monotonic clock. */
  beganAt: number;
  endedAt: number;
  /** 0: the connection was refused or broken. */
  status: number;
  variant?: unknown;
  position?: number;
}>;

export type LoadOptions = Readonly<{
  /** Where the next request goes. */
  target: () => string;
  credential: string;
  serverKey: string;
  flags: readonly string[];
  /** Of the flags. */
  variants: readonly string[];
  commandsPerSecond: number;
  evaluationsPerSecond: number;
  /** Attempts of a command whose outcome is unknown, before it is left so. @defaultValue 60 */
  attempts?: number;
  /** Requests of a kind in flight at most; what would exceed it is not sent. @defaultValue 100 */
  inFlight?: number;
}>;

const TICK_MS = 20;
/** Between attempts: after an answer, and after a broken connection. */
const RETRY_MS = 150;
const BROKEN_MS = 400;
export const PLACE = '/api/v1/projects/demo';
export const ENVIRONMENT = 'production';

/** One attempt; undefined when the connection broke. */
const attemptOf = (url: string, init: Question): Promise<Answer | undefined> =>
  request(url, init).catch(() => undefined);

const outcomeOf = (answer: Answer | undefined): CommandRecord['outcome'] => {
  if (answer === undefined || answer.status >= 500 || answer.status === 409) return 'unknown';
  if (answer.status >= 400) return 'refused';
  return answer.body['result'] === 'recorded' ? 'recorded' : 'unchanged';
};

const pick = <T>(items: readonly T[], nth: number): T => items[nth % items.length]!;

const placeOf = (
  outcome: CommandRecord['outcome'],
  answer: Answer | undefined,
): Pick<CommandRecord, 'revision' | 'position'> =>
  outcome === 'recorded'
    ? { revision: Number(answer?.body['revision']), position: Number(answer?.body['position']) }
    : {};

const problemsIn = (answer: Answer | undefined): readonly string[] => {
  const type = answer?.body['type'];
  return typeof type === 'string' && type.startsWith('urn:') ? [type] : [];
};

/** Attempts until the outcome is known, or nobody wants to know it any more. */
const tryOften = async (
  attempts: number,
  isAbandoned: () => boolean,
  attempt: () => Promise<Answer | undefined>,
): Promise<Omit<CommandRecord, 'key' | 'flag'>> => {
  const statuses: (number | 'broken')[] = [];
  const codes: string[] = [];
  let slowestMs = 0;
  for (;;) {
    const began = performance.now();
    const answer = await attempt();
    slowestMs = Math.max(slowestMs, performance.now() - began);
    statuses.push(answer?.status ?? 'broken');
    codes.push(...problemsIn(answer));
    const outcome = outcomeOf(answer);
    const seen = { outcome, ...placeOf(outcome, answer), statuses, codes, slowestMs };
    if (outcome !== 'unknown' || statuses.length >= attempts || isAbandoned()) return seen;
    await delay(answer === undefined ? BROKEN_MS : RETRY_MS);
  }
};

/** Sends at a steady rate, whatever the answers; a command of unknown outcome is sent again with the same key. */
export const startLoad = (options: LoadOptions) => {
  const {
    target,
    credential,
    serverKey,
    flags,
    variants,
    attempts = 60,
    inFlight: most = 100,
  } = options;
  const commands: CommandRecord[] = [];
  const evaluations: EvaluationRecord[] = [];
  let isStopped = false;
  let isAbandoned = false;
  let skipped = 0;

  const sendCommand = async (nth: number): Promise<void> => {
    const key = randomUUID();
    const flag = pick(flags, nth);
    const init = {
      method: 'PUT',
      headers: {
        authorization: `Bearer ${credential}`,
        'content-type': 'application/json',
        'idempotency-key': key,
      },
      body: JSON.stringify({ variant: pick(variants, Math.floor(nth / flags.length) + 1) }),
    };
    const path = `${PLACE}/flags/${flag}/environments/${ENVIRONMENT}/fallthrough`;
    const tried = await tryOften(
      attempts,
      () => isAbandoned,
      () => attemptOf(target() + path, init),
    );
    commands.push({ key, flag, ...tried });
  };

  const sendEvaluation = async (nth: number): Promise<void> => {
    const flag = pick(flags, nth);
    const beganAt = performance.now();
    const path = `${PLACE}/environments/${ENVIRONMENT}/evaluate/${flag}?targetingKey=user-${nth % 100}`;
    const headers = { 'x-api-key': serverKey };
    const process = target();
    const answer = await attemptOf(process + path, { headers });
    const { variant, position } = answer?.body ?? {};
    evaluations.push({
      flag,
      process,
      beganAt,
      endedAt: performance.now(),
      status: answer?.status ?? 0,
      variant,
      ...(typeof position === 'number' && { position }),
    });
  };

  /** Sends what is due of one kind. */
  const sender = (perSecond: number, send: (nth: number) => Promise<void>) => {
    const inFlight = new Set<Promise<void>>();
    let sent = 0;
    return {
      inFlight,
      sendDue: (elapsedMs: number): void => {
        for (const due = (elapsedMs / 1000) * perSecond; sent < due; sent += 1) {
          if (inFlight.size >= most) {
            skipped += 1;
            continue;
          }
          const sending = send(sent);
          inFlight.add(sending);
          void sending.finally(() => inFlight.delete(sending));
        }
      },
    };
  };

  const senders = [
    sender(options.commandsPerSecond, sendCommand),
    sender(options.evaluationsPerSecond, sendEvaluation),
  ];
  const run = async (): Promise<void> => {
    const began = performance.now();
    while (!isStopped) {
      for (const { sendDue } of senders) sendDue(performance.now() - began);
      await delay(TICK_MS);
    }
  };
  const running = run();
  const stop = async (): Promise<void> => {
    isStopped = true;
    await running;
    await Promise.all(senders.flatMap(({ inFlight }) => [...inFlight]));
  };

  return {
    commands,
    evaluations,
    /** How many commands were acknowledged so far. */
    acknowledged: (): number => commands.filter(({ outcome }) => outcome === 'recorded').length,
    skipped: (): number => skipped,
    /** Sends no more, and waits for all that is under way. */
    stop,
    /** Like `stop`, and commands of unknown outcome are not sent again. */
    abandon: (): Promise<void> => {
      isAbandoned = true;
      return stop();
    },
  };
};

export type Load = ReturnType<typeof startLoad>;

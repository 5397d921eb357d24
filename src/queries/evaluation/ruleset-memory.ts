import { type EvaluationPorts } from '../../domain/evaluation/clauses.js';
import { type ContentChanges } from '../../domain/evaluation/ruleset.js';
import { type Position } from '../../domain/position.js';
import {
  changeEnvironment,
  EMPTY_ENVIRONMENT,
  type EnvironmentRulesets,
} from './environment-rulesets.js';

type Waiter = Readonly<{ position: Position; resolve: (isReached: boolean) => void }>;

/** Those who wait, each for a time, until a log position is reached. */
const positionWaiters = () => {
  const waiting = new Set<Waiter>();
  return {
    reached: (position: Position): void => {
      for (const waiter of waiting) if (waiter.position <= position) waiter.resolve(true);
    },
    wait: (position: Position, timeoutMs: number): Promise<boolean> =>
      new Promise((resolve) => {
        const timer = setTimeout(() => {
          waiter.resolve(false);
        }, timeoutMs);
        const waiter: Waiter = {
          position,
          resolve: (isReached) => {
            clearTimeout(timer);
            waiting.delete(waiter);
            resolve(isReached);
          },
        };
        waiting.add(waiter);
      }),
  };
};

/** Where rulesets came from. */
export type RulesetSource = 'redis' | 'postgres' | 'disk';

/** New content of an environment: all its flags and segments, or only those that changed (`null`: removed). */
type EnvironmentUpdate = ContentChanges & Readonly<{ isComplete: boolean }>;

export type RulesetUpdate = Readonly<{
  source: RulesetSource;
  /** The log position that everything stands at once this is applied. */
  position: Position;
  /** True when an environment that is not named here does not exist. */
  isComplete: boolean;
  /** By environmentId; `null`: the environment is gone. */
  environments: ReadonlyMap<string, EnvironmentUpdate | null>;
}>;

/** All environments at one log position; never changed, replaced by the next. */
export type Rulesets = Readonly<{
  source: RulesetSource;
  position: Position;
  environments: ReadonlyMap<string, EnvironmentRulesets>;
}>;

/**
 * Called after each update that changed rulesets, with the ids of the environments it touched. `isComplete`: everything
 * came anew.
 */
type RulesetListener = (
  rulesets: Rulesets,
  touched: readonly string[],
  isComplete: boolean,
) => void;

/** The rulesets that this process evaluates with. */
export type RulesetMemory = Readonly<{
  /** Undefined until the first rulesets have come. */
  current: () => Rulesets | undefined;
  /** Applies all of it at once; false, and nothing happens, when it is older than what is held. */
  publish: (update: RulesetUpdate) => boolean;
  /** True once the position is reached, false after `timeoutMs` without it. */
  waitForPosition: (position: Position, timeoutMs: number) => Promise<boolean>;
  /** The returned function ends the subscription. */
  subscribe: (listener: RulesetListener) => () => void;
}>;

const updated = (
  before: EnvironmentRulesets | undefined,
  update: EnvironmentUpdate,
  ports: EvaluationPorts,
): EnvironmentRulesets => {
  const base = update.isComplete || before === undefined ? EMPTY_ENVIRONMENT : before;
  return changeEnvironment(base, update, ports);
};

const applied = (
  before: ReadonlyMap<string, EnvironmentRulesets>,
  { isComplete, environments }: RulesetUpdate,
  ports: EvaluationPorts,
): ReadonlyMap<string, EnvironmentRulesets> => {
  if (environments.size === 0 && !isComplete) return before;
  const after = new Map(isComplete ? [] : before);
  for (const [id, update] of environments) {
    if (update === null) after.delete(id);
    else after.set(id, updated(before.get(id), update, ports));
  }
  return after;
};

export const rulesetMemory = (ports: EvaluationPorts): RulesetMemory => {
  let current: Rulesets | undefined;
  const listeners = new Set<RulesetListener>();
  const waiters = positionWaiters();

  const publish = (update: RulesetUpdate): boolean => {
    if (current !== undefined && update.position < current.position) return false;
    const environments = applied(current?.environments ?? new Map(), update, ports);
    const hasChanged = environments !== current?.environments;
    current = { source: update.source, position: update.position, environments };
    waiters.reached(update.position);
    const touched = [...update.environments.keys()];
    if (hasChanged) for (const listener of listeners) listener(current, touched, update.isComplete);
    return true;
  };

  return {
    current: () => current,
    publish,
    waitForPosition: (position, timeoutMs) =>
      current !== undefined && current.position >= position
        ? Promise.resolve(true)
        : waiters.wait(position, timeoutMs),
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
};

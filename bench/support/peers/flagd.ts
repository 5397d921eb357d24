import { FlagdCore } from '@openfeature/flagd-core';
import {
  at,
  COUNTRIES,
  type Kind,
  members,
  mixed,
  type Peer,
  people,
  RULES,
  runsOf,
  singles,
} from './peer.js';

const silent = {
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  debug: () => undefined,
};

const targetingOf: Readonly<Record<Kind, object>> = {
  static: {},
  split: {
    fractional: [
      ['on', 50],
      ['off', 50],
    ],
  },
  rule: {
    if: [
      {
        and: [
          { '==': [{ var: 'plan' }, 'plan-99'] },
          { in: [{ var: 'country' }, COUNTRIES] },
          { '>=': [{ var: 'age' }, 18] },
        ],
      },
      'on',
    ],
  },
  hundred: {
    if: Array.from({ length: RULES }, (_, nth) => [
      { '==': [{ var: 'plan' }, `plan-${nth}`] },
      nth === RULES - 1 ? 'on' : 'off',
    ]).flat(),
  },
  segment: { if: [{ in: [{ var: 'targetingKey' }, members] }, 'on'] },
};

const flagOf = (kind: Kind) => ({
  state: 'ENABLED',
  variants: { on: true, off: false },
  defaultVariant: kind === 'static' ? 'on' : 'off',
  ...(kind !== 'static' && { targeting: targetingOf[kind] }),
});

const coreOf = (flags: readonly (readonly [string, Kind])[]): FlagdCore => {
  const core = new FlagdCore(undefined, silent);
  core.setConfigurations(
    JSON.stringify({ flags: Object.fromEntries(flags.map(([key, kind]) => [key, flagOf(kind)])) }),
  );
  return core;
};

/** flagd's in-process engine. */
export const flagdPeer = (): Peer => {
  const contexts = people.map(({ key, ...rest }) => ({ targetingKey: key, ...rest }));
  const core = coreOf(singles);
  return {
    name: 'flagd-core',
    runs: runsOf(
      (kind) => (person) =>
        core.resolveBooleanEvaluation(kind, false, at(contexts, person), silent).value,
      (count) => {
        const all = coreOf(mixed(count));
        return (person) => all.resolveAll(at(contexts, person), silent).length;
      },
    ),
  };
};

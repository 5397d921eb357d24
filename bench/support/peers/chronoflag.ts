import { type Context } from '../../../src/domain/evaluation/context.js';
import { type Ruleset } from '../../../src/domain/evaluation/ruleset.js';
import { evaluate } from '../../../src/domain/evaluation/evaluate.js';
import { type Configuration } from '../../../src/domain/flag/configuration.js';
import { compileRegex } from '../../../src/infrastructure/re2-regex-compiler.js';
import {
  compileEnvironment,
  type EnvironmentRulesets,
  evaluateAll,
} from '../../../src/queries/evaluation/environment-rulesets.js';
import { benchFlag } from '../flags.js';
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

const { split } = benchFlag('any', 'split').configuration.fallthrough as Extract<
  Configuration['fallthrough'],
  { split: unknown }
>;

const off: Configuration = {
  enabled: true,
  offVariant: 'off',
  fallthrough: { variant: 'off' },
  targets: [],
};

const configurationOf: Readonly<Record<Kind, Configuration>> = {
  static: { ...off, fallthrough: { variant: 'on' } },
  split: { ...off, fallthrough: { split } },
  rule: {
    ...off,
    rules: [
      {
        id: 'rule',
        description: '',
        clauses: [
          { attribute: 'plan', operator: 'in', values: ['plan-99'] },
          { attribute: 'country', operator: 'in', values: COUNTRIES },
          { attribute: 'age', operator: 'greaterThanOrEqual', values: [18] },
        ],
        serve: { variant: 'on' },
      },
    ],
  },
  hundred: {
    ...off,
    rules: Array.from({ length: RULES }, (_, nth) => ({
      id: `rule-${nth}`,
      description: '',
      clauses: [{ attribute: 'plan', operator: 'in', values: [`plan-${nth}`] }],
      serve: { variant: nth === RULES - 1 ? 'on' : 'off' },
    })),
  },
  segment: {
    ...off,
    rules: [
      {
        id: 'rule',
        description: '',
        clauses: [{ segments: ['members'] }],
        serve: { variant: 'on' },
      },
    ],
  },
};

const environmentOf = (flags: readonly (readonly [string, Kind])[]): EnvironmentRulesets => {
  const rulesets = flags.map(([key, kind]): [string, Ruleset] => [
    key,
    { ...benchFlag(key, 'static'), configuration: configurationOf[kind] },
  ]);
  const segment = {
    key: 'members',
    revision: 1,
    position: 1,
    included: members,
    excluded: [],
    rules: [],
  };
  return compileEnvironment(
    { flags: new Map(rulesets), segments: new Map([['members', segment]]) },
    { compileRegex },
  );
};

/** Ours: with variant, reason and rule id; all flags as the JSON text that is sent. */
export const chronoflagPeer = (): Peer => {
  const contexts = people.map(({ key, ...attributes }): Context => ({
    targetingKey: key,
    attributes: { targetingKey: key, ...attributes },
    nowMs: 1_700_000_000_000,
  }));
  const environment = environmentOf(singles);
  return {
    name: 'Chronoflag',
    runs: runsOf(
      (kind) => (person) => {
        const flag = environment.flags.get(kind);
        if (flag === undefined) throw new Error(`There is no flag ${kind}.`);
        return evaluate(flag, at(contexts, person), environment).resolution.value === true;
      },
      (count) => {
        const all = environmentOf(mixed(count));
        return (person) =>
          evaluateAll(all, at(contexts, person), 'member').length > count ? count : 0;
      },
    ),
  };
};

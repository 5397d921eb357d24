import { init } from '@launchdarkly/node-server-sdk';
import { TestData } from '@launchdarkly/node-server-sdk/integrations';
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

const [ON, OFF] = [0, 1];

const clause = (attribute: string, op: string, values: readonly unknown[]) => ({
  contextKind: 'user',
  attribute,
  op,
  values,
  negate: false,
});

const rulesOf: Readonly<Record<Kind, readonly object[]>> = {
  static: [],
  split: [],
  rule: [
    {
      id: 'rule',
      variation: ON,
      clauses: [
        clause('plan', 'in', ['plan-99']),
        clause('country', 'in', COUNTRIES),
        clause('age', 'greaterThanOrEqual', [18]),
      ],
    },
  ],
  hundred: Array.from({ length: RULES }, (_, nth) => ({
    id: `rule-${nth}`,
    variation: nth === RULES - 1 ? ON : OFF,
    clauses: [clause('plan', 'in', [`plan-${nth}`])],
  })),
  segment: [{ id: 'rule', variation: ON, clauses: [clause('', 'segmentMatch', ['members'])] }],
};

const half = {
  rollout: {
    variations: [
      { variation: ON, weight: 50_000 },
      { variation: OFF, weight: 50_000 },
    ],
  },
};

const fallthroughOf = (kind: Kind): object =>
  kind === 'split' ? half : { variation: kind === 'static' ? ON : OFF };

const clientOf = async (flags: readonly (readonly [string, Kind])[]) => {
  const data = new TestData();
  for (const [key, kind] of flags)
    await data.usePreconfiguredFlag({
      key,
      version: 1,
      on: true,
      offVariation: OFF,
      variations: [true, false],
      salt: key,
      rules: rulesOf[kind],
      targets: [],
      contextTargets: [],
      prerequisites: [],
      fallthrough: fallthroughOf(kind),
    });
  await data.usePreconfiguredSegment({
    key: 'members',
    version: 1,
    included: members,
    excluded: [],
    salt: 'members',
    rules: [],
  });
  const client = init('sdk-key', {
    updateProcessor: data.getFactory(),
    sendEvents: false,
    diagnosticOptOut: true,
    logger: {
      error: console.error,
      warn: () => undefined,
      info: () => undefined,
      debug: () => undefined,
    },
  });
  await client.waitForInitialization({ timeout: 10 });
  return client;
};

/** LaunchDarkly's SDK for servers, with test data in place of its service. Its calls are promises. */
export const launchdarklyPeer = async (): Promise<Peer> => {
  const contexts = people.map((person) => ({ kind: 'user', ...person }));
  const sizes = [50, 1_000];
  const client = await clientOf(singles);
  const all = new Map(
    await Promise.all(sizes.map(async (size) => [size, await clientOf(mixed(size))] as const)),
  );
  return {
    name: 'LaunchDarkly',
    runs: runsOf(
      (kind) => (person) => client.boolVariation(kind, at(contexts, person), false),
      (count) => async (person) => {
        const state = await all.get(count)?.allFlagsState(at(contexts, person));
        return Object.keys(state?.allValues() ?? {}).length;
      },
    ),
    close: () => {
      for (const one of [client, ...all.values()]) one.close();
    },
  };
};

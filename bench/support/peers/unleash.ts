import { once } from 'node:events';
import { InMemStorageProvider, Unleash } from 'unleash-client';
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

const constraint = (contextName: string, operator: string, more: object) => ({
  contextName,
  operator,
  caseInsensitive: false,
  inverted: false,
  ...more,
});

const always = (constraints: readonly object[], more: object = {}) => ({
  name: 'default',
  parameters: {},
  constraints,
  ...more,
});

const strategiesOf: Readonly<Record<Kind, readonly object[]>> = {
  static: [always([])],
  split: [
    {
      name: 'flexibleRollout',
      parameters: { rollout: '50', stickiness: 'userId', groupId: 'split' },
      constraints: [],
    },
  ],
  rule: [
    always([
      constraint('plan', 'IN', { values: ['plan-99'] }),
      constraint('country', 'IN', { values: COUNTRIES }),
      constraint('age', 'NUM_GTE', { value: '18' }),
    ]),
  ],
  hundred: Array.from({ length: RULES }, (_, nth) =>
    always([constraint('plan', 'IN', { values: [`plan-${nth}`] })]),
  ),
  segment: [always([], { segments: [1] })],
};

const clientOf = async (flags: readonly (readonly [string, Kind])[]): Promise<Unleash> => {
  const data = flags.map(([name, kind]) => ({
    name,
    type: 'release',
    enabled: true,
    stale: false,
    impressionData: false,
    variants: [],
    strategies: strategiesOf[kind],
  }));
  const segments = [{ id: 1, constraints: [constraint('userId', 'IN', { values: members })] }];
  const client = new Unleash({
    // Nobody listens there; the toggles are those given here.
    url: 'http://127.0.0.1:9/',
    appName: 'bench',
    refreshInterval: 0,
    disableMetrics: true,
    skipInstanceCountWarning: true,
    storageProvider: new InMemStorageProvider(),
    bootstrap: { data: data as never, segments: segments as never },
  });
  client.on('error', () => undefined);
  await once(client, 'ready');
  return client;
};

/** Unleash's SDK for servers. */
export const unleashPeer = async (): Promise<Peer> => {
  const contexts = people.map(({ key, age, ...rest }) => ({
    userId: key,
    properties: { age: String(age), ...rest },
  }));
  const client = await clientOf(singles);
  const all = new Map(
    await Promise.all(
      [50, 1_000].map(async (size) => [size, await clientOf(mixed(size))] as const),
    ),
  );
  return {
    name: 'Unleash',
    runs: runsOf(
      (kind) => (person) => client.isEnabled(kind, at(contexts, person)),
      (count) => {
        const keys = mixed(count).map(([key]) => key);
        const many = all.get(count);
        if (many === undefined) throw new Error(`There are no ${count} flags.`);
        return (person) => {
          let evaluated = 0;
          for (const key of keys) {
            many.isEnabled(key, at(contexts, person));
            evaluated += 1;
          }
          return evaluated;
        };
      },
    ),
    close: () => {
      for (const one of [client, ...all.values()]) one.destroy();
    },
  };
};

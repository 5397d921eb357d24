import { GrowthBookClient } from '@growthbook/growthbook';
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

const rulesOf: Readonly<Record<Kind, readonly object[]>> = {
  static: [],
  split: [{ force: true, coverage: 0.5, hashAttribute: 'id' }],
  rule: [
    {
      condition: { plan: 'plan-99', country: { $in: COUNTRIES }, age: { $gte: 18 } },
      force: true,
    },
  ],
  hundred: Array.from({ length: RULES }, (_, nth) => ({
    condition: { plan: `plan-${nth}` },
    force: nth === RULES - 1,
  })),
  segment: [{ condition: { id: { $inGroup: 'members' } }, force: true }],
};

const clientOf = (flags: readonly (readonly [string, Kind])[]): GrowthBookClient => {
  const features = flags.map(([key, kind]) => [
    key,
    { defaultValue: kind === 'static', rules: [...rulesOf[kind]] },
  ]);
  return new GrowthBookClient().initSync({
    payload: {
      features: Object.fromEntries(features) as never,
      savedGroups: { members: [...members] },
    },
  });
};

/** GrowthBook's client for servers. */
export const growthbookPeer = (): Peer => {
  const contexts = people.map(({ key, ...rest }) => ({ attributes: { id: key, ...rest } }));
  const client = clientOf(singles);
  return {
    name: 'GrowthBook',
    runs: runsOf(
      (kind) => (person) => client.evalFeature(kind, at(contexts, person)).on,
      (count) => {
        const flags = mixed(count);
        const all = clientOf(flags);
        return (person) => {
          let evaluated = 0;
          for (const [key] of flags)
            if (all.evalFeature(key, at(contexts, person)).source !== 'unknownFeature')
              evaluated += 1;
          return evaluated;
        };
      },
    ),
  };
};

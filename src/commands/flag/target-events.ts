import { type Target } from '../../domain/flag/configuration.js';
import { type FlagContent, type FlagEvent, type FlagReverted } from '../../domain/flag/events.js';
import { configurationOf, contentOf, evolveFlag, type Flag } from '../../domain/flag/flag.js';
import { sameJson } from '../../domain/json.js';
import { fitsOneEvent, listChanges, type Lists } from '../list-parts.js';

type Environments = FlagContent['environments'];

const listsOf = (targets: readonly Target[]): Lists =>
  new Map(targets.map(({ variant, keys }) => [variant, keys]));

const targetsIn = (lists: Lists): readonly Target[] =>
  [...lists].map(([variant, keys]) => ({ variant, keys }));

const targetsOf = (flag: Flag, environment: string): readonly Target[] =>
  flag.status === 'absent' ? [] : configurationOf(flag, environment).targets;

const bare = (environments: Environments): Environments =>
  Object.fromEntries(
    Object.entries(environments).map(([key, own]) => [key, { ...own, targets: [] }]),
  );

/** Targets by environment. */
type TargetLists = Readonly<Record<string, readonly Target[]>>;

const targetLists = (environments: Environments): TargetLists =>
  Object.fromEntries(Object.entries(environments).map(([key, { targets }]) => [key, targets]));

const fitOneEvent = (lists: TargetLists): boolean =>
  fitsOneEvent(
    new Map(
      Object.entries(lists).flatMap(([environment, targets]) =>
        targets.map(({ variant, keys }) => [`${environment} ${variant}`, keys] as const),
      ),
    ),
  );

type Around = Readonly<{ before: readonly FlagEvent[]; after: readonly FlagEvent[] }>;

/** What goes before and what comes after an event that keeps the targets. */
const targetEvents = (flag: Flag, lists: TargetLists): Around => {
  const [before, after]: [FlagEvent[], FlagEvent[]] = [[], []];
  for (const [environment, targets] of Object.entries(lists)) {
    const changes = listChanges(listsOf(targetsOf(flag, environment)), listsOf(targets));
    for (const part of changes.removed)
      before.push({ type: 'FlagTargetsRemoved', data: { environment, targets: targetsIn(part) } });
    for (const part of changes.added)
      after.push({ type: 'FlagTargetsAdded', data: { environment, targets: targetsIn(part) } });
  }
  return { before, after };
};

const around = ({ before, after }: Around, events: readonly FlagEvent[]): readonly FlagEvent[] => [
  ...before,
  ...events,
  ...after,
];

const snapshotEvents = (
  flag: Flag,
  event: Extract<FlagEvent, { data: FlagReverted['data'] }>,
): readonly FlagEvent[] => {
  const { environments } = event.data.content;
  const lists = targetLists(environments);
  if (fitOneEvent(lists)) return [event];
  const content = { ...event.data.content, environments: bare(environments) };
  const isSame =
    flag.status === event.data.status &&
    sameJson({ ...contentOf(flag), environments: bare(flag.environments) }, content);
  const kept = { ...event, data: { ...event.data, content, targetsKept: true as const } };
  return around(targetEvents(flag, lists), isSame ? [] : [kept]);
};

const boundedEvent = (flag: Flag, event: FlagEvent): readonly FlagEvent[] => {
  switch (event.type) {
    case 'FlagTargetsChanged': {
      const { environment, targets } = event.data;
      return around(targetEvents(flag, { [environment]: targets }), []);
    }
    case 'FlagCreated': {
      const { environments } = event.data;
      const lists = targetLists(environments);
      if (fitOneEvent(lists)) return [event];
      const data = { ...event.data, environments: bare(environments) };
      return around(targetEvents(flag, lists), [{ ...event, data }]);
    }
    case 'FlagPromoted': {
      const { to, configuration } = event.data;
      const lists = { [to]: configuration.targets };
      if (fitOneEvent(lists)) return [event];
      const data = {
        ...event.data,
        configuration: { ...configuration, targets: [] },
        targetsKept: true as const,
      };
      return around(targetEvents(flag, lists), [{ ...event, data }]);
    }
    case 'FlagRestored':
    case 'FlagReverted':
      return snapshotEvents(flag, event);
    default:
      return [event];
  }
};

/** The same change with targets as what came and what went, in events of bounded size. */
export const boundedFlagEvents = (
  flag: Flag,
  events: readonly FlagEvent[],
): readonly FlagEvent[] => {
  let state = flag;
  return events.flatMap((event) => {
    const bounded = boundedEvent(state, event);
    state = evolveFlag(state, event);
    return bounded;
  });
};

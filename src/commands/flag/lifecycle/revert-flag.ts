import { type Command } from '../../../domain/decider.js';
import { usedVariants } from '../../../domain/flag/configuration.js';
import { type FlagEvent } from '../../../domain/flag/events.js';
import {
  configurationOf,
  contentOf,
  type ExistingFlag,
  type Flag,
} from '../../../domain/flag/flag.js';
import { sameJson } from '../../../domain/json.js';
import { type Project } from '../../../domain/project/project.js';
import { requireEnvironment } from '../../project/guards.js';
import { requireLive, requireVariants } from '../guards.js';
import { type Snapshot, snapshotEventData } from '../snapshot.js';

/** Makes a live flag what it was at `snapshot`; with `environment`, only its configuration there. */
export type RevertFlag = Command<
  'RevertFlag',
  { projectId: string; flagKey: string; snapshot: Snapshot; environment?: string }
>;

type Reverted = ReturnType<typeof snapshotEventData>;

const onlyIn = (
  environment: string,
  live: ExistingFlag,
  { flag, revision }: Snapshot,
): Reverted => {
  const configuration = configurationOf(flag, environment);
  requireVariants(live.variants, usedVariants(configuration));
  const environments = { ...live.environments, [environment]: configuration };
  return snapshotEventData({ flag: { ...live, environments }, revision });
};

export const revertFlag = (
  { data: { flagKey, snapshot, environment } }: RevertFlag,
  flag: Flag,
  project: Project,
): readonly FlagEvent[] => {
  const live = requireLive(flag, flagKey);
  if (environment !== undefined) requireEnvironment(project, environment);
  const data =
    environment === undefined ? snapshotEventData(snapshot) : onlyIn(environment, live, snapshot);
  return live.status === data.status && sameJson(contentOf(live), data.content)
    ? []
    : [{ type: 'FlagReverted', data }];
};

import { type BatchRequest, type FlagReport, type HandleFlag, onManyFlags } from './batch.js';
import { type RevertFlag } from './lifecycle/revert-flag.js';
import { type Moment } from '../history-at.js';
import { type Snapshot } from './snapshot.js';

export type RevertEnvironmentRequest = BatchRequest &
  Readonly<{
    projectId: string;
    environment: string;
    moment: Moment;
    /** Keys of the flags to revert. */
    flags: readonly string[];
  }>;

type Deps = Readonly<{
  handle: HandleFlag<RevertFlag>;
  snapshotOf: (projectId: string, flagKey: string, moment: Moment) => Promise<Snapshot>;
}>;

/**
 * Makes every flag behave in one environment as it did at a moment; nothing else about the flags changes.
 * A flag that was not there then is reported as refused and stays as it is.
 * @throws EventStoreUnavailable, AppendOutcomeUnknown: a fault ends it; the same request again takes up what is missing
 */
export const revertEnvironment =
  ({ handle, snapshotOf }: Deps) =>
  async (request: RevertEnvironmentRequest): Promise<readonly FlagReport[]> => {
    const { projectId, environment, moment, flags } = request;
    const tasks = flags.map((flag) => ({
      flag,
      toCommand: async (): Promise<RevertFlag> => {
        const snapshot = await snapshotOf(projectId, flag, moment);
        return { type: 'RevertFlag', data: { projectId, flagKey: flag, snapshot, environment } };
      },
    }));
    return onManyFlags(handle, tasks, request);
  };

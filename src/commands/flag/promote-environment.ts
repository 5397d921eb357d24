import { type Histories } from '../flagd/here.js';
import { ConflictingChanges, conflictsIn, type OnConflict } from '../merging/three-way.js';
import { type BatchRequest, type FlagReport, type HandleFlag, onManyFlags } from './batch.js';
import { type PromoteFlag } from './configuration/promote-flag.js';
import { planPromotion } from './plan-promotion.js';

export type PromoteEnvironmentRequest = BatchRequest &
  Readonly<{
    projectId: string;
    from: string;
    to: string;
    /** Keys of the flags to promote. */
    flags: readonly string[];
    onConflict: OnConflict;
  }>;

type Deps = Readonly<{ handle: HandleFlag<PromoteFlag> }> & Pick<Histories, 'flagHistory'>;

/**
 * Makes flags behave in one environment as they do in another. What was changed there since the last promotion stays, or
 * is a conflict; with `fail` a conflict ends it before anything is written.
 * @throws ConflictingChanges
 * @throws EventStoreUnavailable, AppendOutcomeUnknown: a fault ends it; the same request again takes up what is missing
 */
export const promoteEnvironment = ({ handle, flagHistory }: Deps) => {
  const run = (request: PromoteEnvironmentRequest): Promise<readonly FlagReport[]> => {
    const { projectId, from, to, onConflict } = request;
    const tasks = request.flags.map((flagKey) => ({
      flag: flagKey,
      prepare: async () => {
        const history = await flagHistory(projectId, flagKey);
        return planPromotion(history, { projectId, flagKey, from, to, onConflict });
      },
    }));
    return onManyFlags(handle, tasks, request);
  };
  return async (request: PromoteEnvironmentRequest): Promise<readonly FlagReport[]> => {
    if (request.onConflict === 'fail' && !request.dryRun) {
      const conflicts = conflictsIn(await run({ ...request, dryRun: true }));
      if (conflicts.length > 0)
        throw new ConflictingChanges(`Environment '${request.to}'`, conflicts);
    }
    return run(request);
  };
};

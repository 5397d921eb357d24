import { type Position } from '../../domain/position.js';
import { type Moment, type MomentRequest } from '../moments.js';
import { environmentIn } from '../projects.js';
import { type Queries } from '../queries.js';
import { type FlagState, type SegmentState } from '../entities/entity-at.js';
import { type EnvironmentAddress } from './environment-state.js';

type States = Readonly<{ flags: readonly FlagState[]; segments: readonly SegmentState[] }>;

/**
 * Every flag and segment of a project at a moment at which the environment was there, and now. What was acknowledged
 * before is in it.
 * @throws DomainError position-not-reached, malformed-time, moment-in-future, environment-not-found
 */
export const environmentStates =
  (
    {
      sources,
      resolveMoment,
      waitForPosition,
    }: Pick<Queries, 'sources' | 'resolveMoment' | 'waitForPosition'>,
    head: () => Promise<Position>,
  ) =>
  async (
    address: EnvironmentAddress,
    asked: MomentRequest,
  ): Promise<Readonly<{ then: States; now: States }>> => {
    await waitForPosition(await head());
    const source = sources['read-model'];
    const statesAt = async (moment: Moment): Promise<States> => ({
      flags: await source.flags(address, moment),
      segments: await source.segments(address, moment),
    });
    const past = await resolveMoment(asked);
    environmentIn(await source.project(address, past), address.environment);
    return { then: await statesAt(past), now: await statesAt(await resolveMoment({})) };
  };

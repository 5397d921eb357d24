import { type Position } from '../../domain/position.js';
import { type ProjectAddress } from '../projects/get-project.js';
import { type Queries } from '../queries.js';

/** Keys of all flags of a project that are not deleted, in order. What was acknowledged before is among them. */
export const liveFlagKeys =
  (
    {
      sources,
      resolveMoment,
      waitForPosition,
    }: Pick<Queries, 'sources' | 'resolveMoment' | 'waitForPosition'>,
    head: () => Promise<Position>,
  ) =>
  async (address: ProjectAddress): Promise<readonly string[]> => {
    await waitForPosition(await head());
    const flags = await sources['read-model'].flags(address, await resolveMoment({}));
    return flags
      .filter(({ state }) => state.status !== 'deleted')
      .map(({ state }) => state.key)
      .toSorted();
  };

import { everyPage } from '../paging/every-page.js';
import { type ProjectAddress } from '../projects/get-project.js';
import { type Queries } from '../queries.js';

/** Keys of all flags of a project that are not deleted, in order. */
export const liveFlagKeys =
  ({ listFlags, resolveMoment }: Pick<Queries, 'listFlags' | 'resolveMoment'>) =>
  async (address: ProjectAddress): Promise<readonly string[]> => {
    const now = { moment: await resolveMoment({}), isPast: false };
    const keys: string[] = [];
    const pages = everyPage((paging) => listFlags({ ...address, ...now, ...paging }));
    for await (const { items } of pages) {
      keys.push(...items.map(({ key }) => key));
    }
    return keys;
  };

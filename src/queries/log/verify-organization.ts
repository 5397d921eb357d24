import { type Queries } from '../queries.js';
import { type Discrepancy } from './discrepancy.js';

export type OrganizationVerification = Readonly<{
  projectsChecked: number;
  flagsChecked: number;
  /** The first few, with the project they are in. */
  differences: readonly (Discrepancy & Readonly<{ project: string }>)[];
}>;

type Asked = Pick<Queries, 'listProjects' | 'resolveMoment' | 'verifyProject'>;

const MAX_REPORTED = 20;

/** Follows `nextCursor` to the last page. */
const pages = async function* <Page extends Readonly<{ nextCursor: string | null }>>(
  ask: (paging: Readonly<{ cursor?: string }>) => Promise<Page>,
): AsyncGenerator<Page> {
  let paging: Readonly<{ cursor?: string }> | undefined = {};
  while (paging !== undefined) {
    const page: Page = await ask(paging);
    yield page;
    paging = page.nextCursor === null ? undefined : { cursor: page.nextCursor };
  }
};

/** Compares every project and flag of an organization, deleted ones too, with the log, replayed. */
export const verifyOrganization =
  ({ listProjects, resolveMoment, verifyProject }: Asked) =>
  async (organizationId: string): Promise<OrganizationVerification> => {
    const moment = await resolveMoment({});
    const differences: OrganizationVerification['differences'][number][] = [];
    let [projectsChecked, flagsChecked] = [0, 0];
    const list = pages((paging) => listProjects({ organizationId, status: 'all', ...paging }));
    for await (const { items } of list) {
      for (const { key: project } of items) {
        const address = { organizationId, project };
        projectsChecked += 1;
        for await (const page of pages((paging) =>
          verifyProject({ ...address, ...paging }, moment),
        )) {
          flagsChecked += page.flagsChecked;
          differences.push(...page.differences.map((found) => ({ ...found, project })));
        }
      }
    }
    return { projectsChecked, flagsChecked, differences: differences.slice(0, MAX_REPORTED) };
  };

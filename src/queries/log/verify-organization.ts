import { type Queries } from '../queries.js';
import { everyPage } from '../paging/every-page.js';
import { type Discrepancy } from './discrepancy.js';

export type OrganizationVerification = Readonly<{
  projectsChecked: number;
  flagsChecked: number;
  segmentsChecked: number;
  /** The first few, with the project they are in; null: of the organization and its members. */
  differences: readonly (Discrepancy & Readonly<{ project: string | null }>)[];
}>;

type Asked = Pick<Queries, 'listProjects' | 'resolveMoment' | 'verifyMembers' | 'verifyProject'>;

const MAX_REPORTED = 20;

/** Compares the members, and every project, flag and segment of an organization, deleted ones too, with the log, replayed. */
export const verifyOrganization =
  ({ listProjects, resolveMoment, verifyMembers, verifyProject }: Asked) =>
  async (organizationId: string): Promise<OrganizationVerification> => {
    const moment = await resolveMoment({});
    const ofMembers = await verifyMembers(organizationId, moment);
    const differences: OrganizationVerification['differences'][number][] = ofMembers.map(
      (found) => ({ ...found, project: null }),
    );
    let [projectsChecked, flagsChecked, segmentsChecked] = [0, 0, 0];
    const list = everyPage((paging) => listProjects({ organizationId, status: 'all', ...paging }));
    for await (const { items } of list) {
      for (const { key: project } of items) {
        const address = { organizationId, project };
        projectsChecked += 1;
        for await (const page of everyPage((paging) =>
          verifyProject({ ...address, ...paging }, moment),
        )) {
          flagsChecked += page.flagsChecked;
          segmentsChecked += page.segmentsChecked;
          differences.push(...page.differences.map((found) => ({ ...found, project })));
        }
      }
    }
    return {
      projectsChecked,
      flagsChecked,
      segmentsChecked,
      differences: differences.slice(0, MAX_REPORTED),
    };
  };

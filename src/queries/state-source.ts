import { type ExistingFlag } from '../domain/flag/flag.js';
import { type Position } from '../domain/position.js';
import { type ExistingSegment } from '../domain/segment/segment.js';
import { type FlagAddress } from './flags/get-flag.js';
import { type FlagView } from './flags/flag-view.js';
import { type Moment } from './moments/resolve-moment.js';
import { type OrganizationView } from './organizations/organization-view.js';
import { type ProjectAddress } from './projects/get-project.js';
import { type ProjectView } from './projects/project-view.js';
import { type SegmentAddress } from './segments/get-segment.js';
import { type SegmentView } from './segments/segment-view.js';

/** A state with the revision that it is, and where and when that was recorded. */
type Taken<State> = Readonly<{
  state: State;
  revision: number;
  position: Position;
  recordedAt: string | Date;
}>;

export type FlagState = Taken<ExistingFlag>;
export type SegmentState = Taken<ExistingSegment>;

/** Where states of the past come from: the read model, or the log itself. Both must give the same answers. */
export type StateSource = Readonly<{
  /** @throws DomainError organization-not-found */
  organization: (organizationId: string, moment: Moment) => Promise<OrganizationView>;
  /** @throws DomainError project-not-found, project-not-yet-created */
  project: (address: ProjectAddress, moment: Moment) => Promise<ProjectView>;
  /** @throws DomainError project-not-found, flag-not-found, flag-not-yet-created */
  flag: (address: FlagAddress, moment: Moment) => Promise<FlagView>;
  /** Every flag of a project that existed then, by key, deleted ones too. */
  flags: (address: ProjectAddress, moment: Moment) => Promise<readonly FlagState[]>;
  /** @throws DomainError project-not-found, segment-not-found, segment-not-yet-created */
  segment: (address: SegmentAddress, moment: Moment) => Promise<SegmentView>;
  /** Every segment of a project that existed then, by key, deleted ones too. */
  segments: (address: ProjectAddress, moment: Moment) => Promise<readonly SegmentState[]>;
}>;

import { type Metadata } from '../../domain/metadata.js';
import { type Invitation, type Member } from '../../domain/organization/organization.js';
import { type Position } from '../../domain/position.js';
import { type Erasure } from '../../queries/personal-data/erasures.js';
import { type KnownAbout } from '../../queries/personal-data/known-about.js';

/** Everything that is known about one person, at one log position. */
export type PersonalExport = KnownAbout &
  Readonly<{
    value: string;
    position: Position;
    subjectIds: readonly string[];
    userIds: readonly string[];
    member: Member | null;
    invitations: readonly Invitation[];
  }>;

/** What was erased, or of a dry run what would be. */
export type Erased = Pick<KnownAbout, 'flags' | 'segments'> &
  Readonly<{
    result: 'erased' | 'unchanged' | 'dry-run';
    subjectIds: readonly string[];
    events: number;
  }>;

export type PersonalDataRequests = Readonly<{
  export: (organizationId: string, value: string) => Promise<PersonalExport>;
  /** @throws DomainError still-member */
  erase: (
    organizationId: string,
    value: string,
    how: Readonly<{ metadata: Metadata; dryRun: boolean }>,
  ) => Promise<Erased>;
  /** Newest first. */
  erasures: (organizationId: string) => Promise<readonly Erasure[]>;
}>;

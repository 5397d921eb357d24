type Owner = Readonly<{ organizationId: string; email: string }>;

/** Of somebody who is to be a member. */
export type NewAccount = Owner & Readonly<{ userId: string; password: string }>;

/** What organizations need of authentication. */
export type OrganizationAccounts = Readonly<{
  /** @throws DomainError `weak-password` */
  requireGoodPassword: (password: string, owner: Owner) => void;
  /** Safe to repeat. An account works only while its user is a member. */
  create: (account: NewAccount) => Promise<void>;
  endSessions: (organizationId: string, userId: string, cause: 'membership-ended') => Promise<void>;
  /** No session goes on, and nobody can log in again. */
  end: (organizationId: string, userId: string) => Promise<void>;
}>;

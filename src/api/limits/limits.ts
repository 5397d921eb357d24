import { type Budget } from './budget.js';
import { type TakeShared } from './shared-buckets.js';

/** What is limited, and for whom. */
export type Budgets = Readonly<{
  /** Routes with `config.budget: 'login'`; per address. */
  login?: Budget | undefined;
  /** Passwords tried for one account; per network. */
  account?: Budget | undefined;
  /** Per credential. */
  commands?: Budget | undefined;
  /** Of all credentials of an organization together. */
  tenantCommands?: Budget | undefined;
  /** Per credential. */
  queries?: Budget | undefined;
  /** Of all credentials of an organization together. */
  tenantQueries?: Budget | undefined;
  /** Routes for everybody, and paths that there are not; per address, and per process. */
  public?: Budget | undefined;
  /** Per server key or credential, and per process. */
  evaluation?: Budget | undefined;
  /** Per client key, which everybody can read in a web page, and per process. */
  clientEvaluation?: Budget | undefined;
  /** Requests whose credential was refused; per address. */
  refusals?: Budget | undefined;
}>;

/** An absent budget is no limit. */
export type Limits = Readonly<{ budgets: Budgets; takeShared: TakeShared }>;

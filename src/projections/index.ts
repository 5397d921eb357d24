import { auditChain } from './read-model/audit-chain.js';
import { auditEvent } from './read-model/audit-event.js';
import { flag } from './read-model/flag.js';
import { organization } from './read-model/organization.js';
import { parkedStream } from './read-model/parked-stream.js';
import { project } from './read-model/project.js';
import { segment } from './read-model/segment.js';
import { type Step } from './fold/fold.js';
import { type ReadModel } from './projection.js';

/** What follows from the events of one stream alone. */
export const STREAM_MODELS: readonly ReadModel<Step>[] = [
  organization,
  project,
  flag,
  segment,
  parkedStream,
];

/** Everything that Postgres holds of the log. One projector writes all of it under one checkpoint. */
export const READ_MODELS: readonly ReadModel[] = [auditEvent, auditChain, ...STREAM_MODELS];

/** The name of that checkpoint. */
export const READ_MODEL = 'read_model';

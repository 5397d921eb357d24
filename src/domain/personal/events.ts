import { type Event } from '../decider.js';

// Names and shapes are the storage format: add optional fields, never rename or re-mean.

/** The key of everything sealed about a person was destroyed. Who, when and why: in the metadata. Never says of whom. */
export type SubjectErased = Event<'SubjectErased', { subjectId: string }>;

import { CATALOGUE, type DomainEvent, isKnownType } from '../../domain/catalogue.js';
import { type Metadata, type Recorded, SCHEMA_VERSION } from '../../domain/recorded.js';
import { type StreamParts } from '../../domain/streams.js';
import { type LogEvent } from '../event-log.js';

/** Deeper values overflow recursive walks (about 5 000 levels in Node 20) and Postgres's stack (jsonb). */
export const MAX_DEPTH = 500;

/** \p{Cs} matches only surrogates without their other half. */
const UNSTORABLE_TEXT = /\0|\p{Cs}/u;

/** The text with a replacement for what Postgres would refuse. */
export const storableText = (text: string): string => text.replace(/\0|\p{Cs}/gu, '\ufffd');

type Visit = Readonly<{ value: unknown; depth: number }>;

const flaw = (value: unknown): string | undefined => {
  if (typeof value === 'string' && UNSTORABLE_TEXT.test(value))
    return 'a string holds \\u0000 or half a surrogate pair';
  if (typeof value === 'number' && !Number.isFinite(value)) return 'a number is not finite';
  return undefined;
};

const membersOf = (value: object): readonly unknown[] => {
  const members: unknown[] = Object.values(value);
  return Array.isArray(value) ? members : members.concat(Object.keys(value));
};

/**
 * Why Postgres (jsonb) or `JSON.stringify` would refuse or alter this parsed JSON; undefined when they take it.
 * Walks with its own stack, so that no depth can overflow the real one.
 */
const whyUnstorable = (root: unknown): string | undefined => {
  const pending: Visit[] = [{ value: root, depth: 0 }];
  for (let visit = pending.pop(); visit !== undefined; visit = pending.pop()) {
    const { value, depth } = visit;
    if (depth > MAX_DEPTH) return `it is nested deeper than ${MAX_DEPTH} levels`;
    const found = flaw(value);
    if (found !== undefined) return found;
    if (typeof value !== 'object' || value === null) continue;
    for (const member of membersOf(value)) pending.push({ value: member, depth: depth + 1 });
  }
  return undefined;
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const checkMetadata = (metadata: Metadata | undefined): void => {
  const raw: unknown = metadata;
  if (!isObject(raw) || !isObject(raw['actor']) || typeof raw['actor']['id'] !== 'string')
    throw new Error('The metadata cannot be decoded.');
  const version = raw['schemaVersion'];
  if (typeof version !== 'number' || !(version <= SCHEMA_VERSION))
    throw new Error(
      `Its schema version ${String(version)} is not understood; the highest is ${SCHEMA_VERSION}.`,
    );
};

const OF_ACTOR = ['id', 'type', 'authMethod'];
const IDS = ['commandId', 'correlationId', 'causationId', 'requestId'];

const hasTexts = (value: unknown, names: readonly string[]): boolean =>
  isObject(value) && names.every((name) => typeof value[name] === 'string');

/** Whether the audit trail can hold all of it, understood or not. */
export const isAuditable = ({ data, metadata }: LogEvent): boolean => {
  const raw: unknown = metadata;
  const hasAll = isObject(raw) && hasTexts(raw, IDS) && hasTexts(raw['actor'], OF_ACTOR);
  return hasAll && isObject(data) && !whyUnstorable(data) && !whyUnstorable(metadata);
};

const checkStorable = (part: string, value: unknown): void => {
  const reason = whyUnstorable(value);
  if (reason !== undefined) throw new Error(`Its ${part} cannot be stored: ${reason}.`);
};

const isUnderstood = (event: LogEvent, parts: StreamParts): event is Recorded<DomainEvent> => {
  if (!isKnownType(event.type)) throw new Error(`The event type '${event.type}' is unknown.`);
  if (CATALOGUE[event.type] !== parts.category)
    throw new Error(`'${event.type}' does not belong in a stream of category '${parts.category}'.`);
  checkMetadata(event.metadata);
  if (!isObject(event.data)) throw new Error('The data cannot be decoded.');
  checkStorable('data', event.data);
  checkStorable('metadata', event.metadata);
  return true;
};

/**
 * An event of the log as one of ours.
 * @throws Error (of any kind) when this version does not understand the event
 */
export const understand = (event: LogEvent, parts: StreamParts): Recorded<DomainEvent> => {
  if (!isUnderstood(event, parts)) throw new Error('The event is not understood.');
  return event;
};

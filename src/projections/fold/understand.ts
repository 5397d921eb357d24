import { CATALOGUE, isKnownType, type DomainEvent } from '../../domain/catalogue.js';
import { SCHEMA_VERSION, type Metadata } from '../../domain/metadata.js';
import { type Recorded } from '../../domain/recorded.js';
import { type StreamParts } from '../../domain/streams.js';
import { type LogEvent } from '../event-log.js';
import { whyUnstorable } from './storable.js';

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

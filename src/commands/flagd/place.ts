import { DomainError } from '../../domain/decider.js';
import { type Json, type JsonObject } from '../../domain/json.js';

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const isArray = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);

/** Refuses one flag of a file and says where. `place` is a JSON pointer. @throws DomainError `cannot-import` */
export const refuseAt = (place: string, what: string): never => {
  throw new DomainError('cannot-import', `${place} ${what}.`);
};

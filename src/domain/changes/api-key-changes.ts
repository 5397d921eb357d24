import { type ApiKey } from '../organization/api-key.js';
import { type Change } from './change.js';

type Existing = Exclude<ApiKey, { status: 'absent' }>;

/** From one state of a key to another; `undefined` is a key that does not exist. Empty when both are equal. */
export const apiKeyChangesBetween = (
  before: Existing | undefined,
  after: Existing | undefined,
): readonly Change[] => {
  if (after === undefined || before?.status === after.status) return [];
  const text = before === undefined ? `issued as "${after.name}"` : after.status;
  const was = before === undefined ? {} : { before: before.status };
  return [{ path: '/status', ...was, after: after.status, text }];
};

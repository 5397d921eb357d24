import { type ApiKey } from '../organization/api-key.js';
import { type Change } from './change.js';

type Existing = Exclude<ApiKey, { status: 'absent' }>;

const statusChanges = (before: Existing | undefined, after: Existing): readonly Change[] => {
  if (before?.status === after.status) return [];
  const text = before === undefined ? `issued as "${after.name}"` : after.status;
  const was = before === undefined ? {} : { before: before.status };
  return [{ path: '/status', ...was, after: after.status, text }];
};

const rotations = (
  { overlapUntil: before }: Partial<Existing>,
  { overlapUntil: after }: Existing,
): readonly Change[] =>
  after === undefined || before === after
    ? []
    : [
        {
          path: '/overlapUntil',
          ...(before !== undefined && { before }),
          after,
          text: `a new secret; the one before counts until ${after}`,
        },
      ];

/** From one state of a key to another; `undefined` is a key that does not exist. Empty when both are equal. */
export const apiKeyChangesBetween = (
  before: Existing | undefined,
  after: Existing | undefined,
): readonly Change[] =>
  after === undefined ? [] : [...statusChanges(before, after), ...rotations(before ?? {}, after)];

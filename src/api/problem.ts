/** code → HTTP status and title. docs/errors.md is held equal to it by a test. */
export const PROBLEMS = {
  'invalid-request': [400, 'The request does not fit its schema'],
  'invalid-json': [400, 'The body is not acceptable JSON'],
  'malformed-request': [400, 'The request cannot be read'],
  'malformed-time': [400, 'A time is not RFC 3339'],
  'several-moments': [400, 'Only one moment can be asked for'],
  'invalid-cursor': [400, 'The cursor is not one of this list'],
  unauthorized: [401, 'The credential is missing or wrong'],
  forbidden: [403, 'The credential may not do this'],
  'environment-protected': [403, 'The environment is protected'],
  'route-not-found': [404, 'There is no such route'],
  'project-not-found': [404, 'There is no such project'],
  'project-not-yet-created': [404, 'The project did not exist at that moment'],
  'environment-not-found': [404, 'The project has no such environment'],
  'flag-not-found': [404, 'The project has no such flag'],
  'flag-not-yet-created': [404, 'The flag did not exist at that moment'],
  'segment-not-found': [404, 'The project has no such segment'],
  'segment-not-yet-created': [404, 'The segment did not exist at that moment'],
  'revision-not-found': [404, 'There is no such revision'],
  'rule-not-found': [404, 'There is no such rule'],
  'api-key-not-found': [404, 'There is no such API key'],
  'event-not-found': [404, 'There is no such event'],
  'checkpoint-not-found': [404, 'There is no checkpoint'],
  'method-not-allowed': [405, 'The route has other methods'],
  'request-timeout': [408, 'The request came too slowly'],
  'project-exists': [409, 'The project exists'],
  'project-deleted': [409, 'The project is deleted'],
  'environment-exists': [409, 'The environment exists'],
  'environment-deleted': [409, 'The environment is deleted'],
  'flag-exists': [409, 'The flag exists'],
  'flag-exists-deleted': [409, 'The flag exists and is deleted'],
  'flag-deleted': [409, 'The flag is deleted'],
  'flag-not-deleted': [409, 'The flag is not deleted'],
  'flag-archived': [409, 'The flag is archived'],
  'segment-exists': [409, 'The segment exists'],
  'segment-exists-deleted': [409, 'The segment exists and is deleted'],
  'segment-deleted': [409, 'The segment is deleted'],
  'segment-not-deleted': [409, 'The segment is not deleted'],
  'rule-exists': [409, 'The rule exists'],
  'segment-in-use': [409, 'The segment is used'],
  'flag-in-use': [409, 'The flag is a prerequisite'],
  'variant-in-use': [409, 'The variant is served'],
  'api-key-revoked': [409, 'The API key is revoked'],
  'concurrent-change': [409, 'Others changed it at the same moment'],
  'event-not-signed': [409, 'No checkpoint covers the event'],
  'audit-chain-broken': [409, 'The audit trail is not what was signed'],
  'stale-revision': [412, 'It changed since you read it'],
  'body-too-large': [413, 'The body is too large'],
  'command-too-large': [413, 'What the command would write is too large'],
  'path-too-long': [414, 'The path is too long'],
  'unsupported-media-type': [415, 'The content type is not supported'],
  'idempotency-key-reused': [422, 'The Idempotency-Key was used for another command'],
  'unknown-variant': [422, 'The flag has no such variant'],
  'no-variants': [422, 'The flag needs variants'],
  'duplicate-variant': [422, 'A variant appears twice'],
  'variant-type-mismatch': [422, 'A value is not of the type of the flag'],
  'invalid-weight': [422, 'A share is not possible'],
  'weights-not-100': [422, 'The shares do not add up to 100 %'],
  'flag-not-boolean': [422, 'The flag has no true and false variants'],
  'flag-type-differs': [422, 'The flag has another type'],
  'duplicate-target': [422, 'A targeting key is given to two variants'],
  'invalid-clause': [422, 'A clause means nothing'],
  'invalid-regex': [422, 'A regular expression is not one'],
  'duplicate-rule': [422, 'Two rules have one id'],
  'too-many-rules': [422, 'There are too many rules'],
  'duplicate-prerequisite': [422, 'A prerequisite appears twice'],
  'duplicate-segment-key': [422, 'A key is both included and excluded'],
  'too-many-keys': [422, 'There are too many keys'],
  'expiry-in-past': [422, 'The expiry has passed'],
  'unknown-segment': [422, 'A segment that is referred to is not there'],
  'unknown-flag': [422, 'A flag that is referred to is not there'],
  'reference-cycle': [422, 'It would refer to itself'],
  'references-too-deep': [422, 'A chain of references is too long'],
  'moment-in-future': [422, 'The moment has not come yet'],
  'invalid-flagd-file': [422, 'It is no file of flag definitions'],
  'invalid-logic': [422, 'The expression is not valid'],
  'cannot-import': [422, 'The definition cannot be imported'],
  'invalid-checkpoint': [422, 'We did not sign the checkpoint'],
  'rate-limited': [429, 'There were too many requests'],
  'headers-too-large': [431, 'The headers are too large'],
  internal: [500, 'Something went wrong on our side'],
  'event-store-unavailable': [503, 'The event store is away; nothing was written'],
  'outcome-unknown': [503, 'The event store did not confirm in time'],
  'position-not-reached': [503, 'What you ask for is not there yet'],
  'read-model-unavailable': [503, 'The read model is away'],
  overloaded: [503, 'There is too much to do'],
  'rulesets-unavailable': [503, 'There are no rulesets yet'],
} as const satisfies Readonly<Record<string, readonly [status: number, title: string]>>;

export type ProblemCode = keyof typeof PROBLEMS;

/** RFC 9457. Members beyond the standard: `errors` (schema), `revision` (412), `commandId` (503). */
export type Problem = Readonly<{
  type: string;
  title: string;
  status: number;
  detail?: string;
  instance: string;
}> &
  Readonly<Record<string, unknown>>;

export const isProblemCode = (code: string): code is ProblemCode => Object.hasOwn(PROBLEMS, code);

export const problemOf = (
  code: ProblemCode,
  instance: string,
  extras: Readonly<{ detail?: string; [member: string]: unknown }> = {},
): Problem => {
  const [status, title] = PROBLEMS[code];
  return { type: `urn:chronoflag:problem:${code}`, title, status, instance, ...extras };
};

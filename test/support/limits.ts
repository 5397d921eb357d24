const MANY = '100000/s';

/** Limits that no test reaches unless it means to. */
export const WIDE_LIMITS: Readonly<Record<string, string>> = {
  RATE_LIMIT_COMMANDS: MANY,
  RATE_LIMIT_TENANT_COMMANDS: MANY,
  RATE_LIMIT_QUERIES: MANY,
  RATE_LIMIT_EVALUATION: MANY,
  RATE_LIMIT_CLIENT_EVALUATION: MANY,
  RATE_LIMIT_REFUSALS: MANY,
};

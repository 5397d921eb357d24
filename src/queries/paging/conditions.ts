/** SQL conditions joined by `and`, and the values of their parameters ($1 and on). */
export type Conditions = Readonly<{ sql: string; values: readonly unknown[] }>;

/** A condition on one value; `sql` is told the name of its parameter. */
export type Condition = Readonly<{ sql: (parameter: string) => string; value: unknown }>;

export const equal = (column: string, value: unknown): Condition => ({
  sql: (parameter) => `${column} = ${parameter}`,
  value,
});

/** Only those with a value: Postgres then plans with the index that fits what is asked. */
export const conditions = (wanted: readonly Condition[]): Conditions => {
  const given = wanted.filter(({ value }) => value !== undefined);
  return {
    sql: given.map(({ sql }, index) => sql(`$${index + 1}`)).join('\n and '),
    values: given.map(({ value }) => value),
  };
};

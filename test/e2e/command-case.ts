/** One command's route, and how to meet it on a project with environments production and staging and the flag `f`. */
export type CommandCase = Readonly<{
  /** As in /openapi.json, below /api/v1. */
  route: string;
  /** Commands that lead to the state it needs. */
  before?: readonly (readonly [route: string, body?: unknown])[];
  body?: unknown;
  /** Another body that would be accepted. */
  other?: unknown;
  events: readonly string[];
  /** What a second time, with a new key, comes to. */
  again?: string;
  /** Where that is which it makes. */
  makes?: string;
}>;

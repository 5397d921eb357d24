import { DomainError } from '../../domain/decider.js';
import { type EnvironmentContents } from '../../domain/evaluation/environment-contents.js';
import { environmentIdOf, projectIdOf } from '../../domain/streams.js';
import { compileEnvironment } from '../../queries/rulesets/environment-rulesets.js';
import { type EnvironmentAt } from '../../queries/rulesets/evaluation-answers.js';
import { type RulesetMemory } from '../../queries/rulesets/ruleset-memory.js';

export type EnvironmentPath = Readonly<{ project: string; environment: string }>;
type MomentQuery = Readonly<{ at?: string; position?: number }>;

/**
 * What an environment held at a past moment, and the one log position it was taken at.
 * Rejects with a DomainError for a moment, project or environment that there is not.
 */
export type RulesetsAt = (
  address: EnvironmentPath & Readonly<{ organizationId: string }>,
  moment: MomentQuery,
) => Promise<Readonly<{ contents: EnvironmentContents; position: number }>>;

export type EvaluationDeps = Readonly<{
  memory: RulesetMemory;
  /** The organization that the project keys of these routes belong to. */
  organizationId: () => string;
  rulesetsAt: RulesetsAt;
  /** How long a request with X-Min-Position may wait. Milliseconds. */
  minPositionWaitMs?: number;
}>;

type Lookup = Readonly<{
  params: EnvironmentPath;
  query: MomentQuery;
  headers: Readonly<{ 'x-min-position'?: number }>;
}>;

const MIN_POSITION_WAIT_MS = 2_000;

/** Finds what to evaluate with; at once, unless the caller asks for the past or has to wait. */
export const environmentLocator = ({
  memory,
  organizationId,
  rulesetsAt,
  minPositionWaitMs = MIN_POSITION_WAIT_MS,
}: EvaluationDeps) => {
  const now = ({ project, environment }: EnvironmentPath): EnvironmentAt => {
    const rulesets = memory.current();
    if (rulesets === undefined)
      throw new DomainError('rulesets-unavailable', 'No rulesets have been loaded yet.');
    const id = environmentIdOf(projectIdOf(organizationId(), project), environment);
    const found = rulesets.environments.get(id);
    if (found === undefined)
      throw new DomainError(
        'environment-not-found',
        `There is no environment '${environment}' in a project '${project}'.`,
      );
    return { environment: found, position: rulesets.position };
  };

  const afterPosition = async (path: EnvironmentPath, position: number): Promise<EnvironmentAt> => {
    if (await memory.waitForPosition(position, minPositionWaitMs)) return now(path);
    throw new DomainError(
      'position-not-reached',
      `Evaluation is at position ${memory.current()?.position ?? -1}, not yet at ${position}.`,
    );
  };

  const atMoment = async (path: EnvironmentPath, moment: MomentQuery): Promise<EnvironmentAt> => {
    const { project, environment } = path;
    const address = { organizationId: organizationId(), project, environment };
    const { contents, position } = await rulesetsAt(address, moment);
    return { environment: compileEnvironment(contents), position };
  };

  return ({ params, query, headers }: Lookup): EnvironmentAt | Promise<EnvironmentAt> => {
    const { at, position } = query;
    // Only these two: the rest of a query are attributes.
    if (at !== undefined || position !== undefined)
      return atMoment(params, {
        ...(at !== undefined && { at }),
        ...(position !== undefined && { position }),
      });
    const minimum = headers['x-min-position'];
    return minimum === undefined ? now(params) : afterPosition(params, minimum);
  };
};

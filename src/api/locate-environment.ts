import { DomainError } from '../domain/decider.js';
import { environmentIdOf, projectIdOf } from '../domain/streams.js';
import { type EnvironmentAt } from '../queries/rulesets/evaluation-answers.js';
import { type RulesetMemory } from '../queries/rulesets/ruleset-memory.js';

export type EnvironmentPath = Readonly<{ project: string; environment: string }>;
type MomentQuery = Readonly<{ at?: string; position?: number }>;

export type EvaluationDeps = Readonly<{
  memory: RulesetMemory;
  /** The organization that the project keys of these routes belong to. */
  organizationId: () => string;
  /**
   * An environment as it was at a past moment.
   * @throws DomainError for a moment, project or environment that there is not
   */
  environmentAt: (
    address: EnvironmentPath & Readonly<{ organizationId: string }>,
    moment: MomentQuery,
  ) => Promise<EnvironmentAt>;
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
  environmentAt,
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

  return ({ params, query, headers }: Lookup): EnvironmentAt | Promise<EnvironmentAt> => {
    const { at, position } = query;
    if (at !== undefined || position !== undefined)
      return environmentAt(
        {
          organizationId: organizationId(),
          project: params.project,
          environment: params.environment,
        },
        { ...(at !== undefined && { at }), ...(position !== undefined && { position }) },
      );
    const minimum = headers['x-min-position'];
    return minimum === undefined ? now(params) : afterPosition(params, minimum);
  };
};

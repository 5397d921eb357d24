import { DomainError } from '../../domain/decider.js';
import { type EnvironmentContents } from '../../domain/evaluation/ruleset.js';
import { type ApplicationKey } from '../../domain/api-key.js';
import { type Position } from '../../domain/position.js';
import { type RegexCompiler } from '../../domain/targeting/clause.js';
import { environmentIdOf, projectIdOf } from '../../domain/streams.js';
import { compileEnvironment } from '../../queries/evaluation/environment-rulesets.js';
import { type IsOthersOnly, noOthers } from '../../queries/moments.js';
import { type EnvironmentAt } from '../../queries/evaluation/answers.js';
import { type RulesetMemory } from '../../queries/evaluation/ruleset-memory.js';
import { type Caller } from '../http/caller.js';

export type EnvironmentPath = Readonly<{ project: string; environment: string }>;
type MomentQuery = Readonly<{ at?: string; position?: Position }>;

/**
 * What an environment held at a past moment, the one log position it was taken at, and the instant that was now then.
 * Rejects with a DomainError for a moment, project or environment that there is not.
 */
export type RulesetsAt = (
  address: EnvironmentPath & Readonly<{ organizationId: string }>,
  moment: MomentQuery,
) => Promise<Readonly<{ contents: EnvironmentContents; position: Position; instantMs: number }>>;

export type EvaluationDeps = Readonly<{
  memory: RulesetMemory;
  rulesetsAt: RulesetsAt;
  compileRegex: RegexCompiler;
  /** Whether the log goes as far as `upTo`, with nothing of ours behind `after`. @defaultValue it does not */
  isOthersOnly?: IsOthersOnly;
  /** How long a request with X-Min-Position may wait. Milliseconds. */
  minPositionWaitMs?: number;
}>;

type Lookup = Readonly<{
  caller: Caller;
  applicationKey: ApplicationKey | undefined;
  params: EnvironmentPath;
  query: MomentQuery;
  headers: Readonly<{ 'x-min-position'?: Position }>;
}>;

const MIN_POSITION_WAIT_MS = 2_000;

const notFound = ({ project, environment }: EnvironmentPath): DomainError =>
  new DomainError(
    'environment-not-found',
    `There is no environment '${environment}' in a project '${project}'.`,
  );

const organizationOf = ({ applicationKey, caller }: Lookup): string =>
  applicationKey?.organizationId ?? caller.organizationId;

/** The id of the environment that the path names. To a key of another one it does not exist. @throws DomainError */
const environmentIdIn = (lookup: Lookup): string => {
  const { params, applicationKey } = lookup;
  const id = environmentIdOf(
    projectIdOf(organizationOf(lookup), params.project),
    params.environment,
  );
  if (applicationKey !== undefined && applicationKey.environmentId !== id) throw notFound(params);
  return id;
};

/** Finds what to evaluate with; at once, unless the caller asks for the past or has to wait. */
export const environmentLocator = ({
  memory,
  rulesetsAt,
  compileRegex,
  isOthersOnly = noOthers,
  minPositionWaitMs = MIN_POSITION_WAIT_MS,
}: EvaluationDeps) => {
  const now = (id: string, path: EnvironmentPath): EnvironmentAt => {
    const rulesets = memory.current();
    if (rulesets === undefined)
      throw new DomainError('rulesets-unavailable', 'No rulesets have been loaded yet.');
    const found = rulesets.environments.get(id);
    if (found === undefined) throw notFound(path);
    return { environment: found, position: rulesets.position };
  };

  const afterPosition = async (
    id: string,
    path: EnvironmentPath,
    position: Position,
  ): Promise<EnvironmentAt> => {
    if (await memory.waitForPosition(position, minPositionWaitMs)) return now(id, path);
    const reached = memory.current()?.position ?? -1;
    if (await isOthersOnly(reached, position)) return now(id, path);
    throw new DomainError(
      'position-not-reached',
      `Evaluation has reached position ${reached}, not yet ${position}.`,
    );
  };

  const atMoment = async (lookup: Lookup): Promise<EnvironmentAt> => {
    const { at, position: asked } = lookup.query;
    const { project, environment } = lookup.params;
    // The history of flags is not for everybody.
    if (lookup.applicationKey?.kind === 'client')
      throw new DomainError('forbidden', 'A client key cannot evaluate past moments.');
    const address = { organizationId: organizationOf(lookup), project, environment };
    const { contents, ...taken } = await rulesetsAt(address, {
      ...(at !== undefined && { at }),
      ...(asked !== undefined && { position: asked }),
    });
    return { environment: compileEnvironment(contents, { compileRegex }), ...taken };
  };

  return (lookup: Lookup): EnvironmentAt | Promise<EnvironmentAt> => {
    const id = environmentIdIn(lookup);
    const { at, position } = lookup.query;
    if (at !== undefined || position !== undefined) return atMoment(lookup);
    const minimum = lookup.headers['x-min-position'];
    return minimum === undefined
      ? now(id, lookup.params)
      : afterPosition(id, lookup.params, minimum);
  };
};

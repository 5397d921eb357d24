import {
  type EvaluationContext,
  type JsonValue,
  type Provider,
  type ResolutionDetails,
} from '@openfeature/server-sdk';
import {
  handleEvaluationError,
  OFREPApi,
  type OFREPProviderBaseOptions,
  toResolutionDetails,
} from 'ofrep-core-current';

/** OpenFeature's own server provider is this over its protocol library; the registry has the library only. */
export const currentOfrepProvider = (options: OFREPProviderBaseOptions): Provider => {
  const api = new OFREPApi(options);
  const resolve = async <T extends JsonValue>(
    flagKey: string,
    defaultValue: T,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<T>> => {
    const answer = await api.postEvaluateFlag(flagKey, { context });
    return answer.httpStatus === 200
      ? toResolutionDetails(answer.value, defaultValue)
      : handleEvaluationError(answer.value, defaultValue);
  };
  return {
    metadata: { name: 'ofrep' },
    runsOn: 'server',
    resolveBooleanEvaluation: resolve,
    resolveStringEvaluation: resolve,
    resolveNumberEvaluation: resolve,
    resolveObjectEvaluation: resolve,
  };
};

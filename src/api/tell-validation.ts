import { type FastifyError } from 'fastify';

type Failure = NonNullable<FastifyError['validation']>[number];

/** What a union says when no branch fits tells nothing; its branches do. */
const UNIONS = new Set(['anyOf', 'oneOf']);

const valuesOf = (failures: readonly Failure[], path: string): string =>
  failures
    .filter(({ keyword, instancePath }) => keyword === 'const' && instancePath === path)
    .map(({ params }) => JSON.stringify(params['allowedValue']))
    .join(', ');

const sentenceOf = (failures: readonly Failure[], failure: Failure, context: string): string => {
  const { keyword, params, message = 'is not allowed', instancePath } = failure;
  const subject = `${context}${instancePath}`;
  if (keyword === 'additionalProperties')
    return `${subject} has the unknown property ${JSON.stringify(params['additionalProperty'])}`;
  if (keyword === 'const') return `${subject} must be one of ${valuesOf(failures, instancePath)}`;
  return `${subject} ${message}`;
};

/** What is wrong with a request, for people: each fault once. */
export const validationDetail = ({ validation = [], validationContext }: FastifyError): string => {
  const telling = validation.filter(({ keyword }) => !UNIONS.has(keyword));
  const failures = telling.length > 0 ? telling : validation;
  const sentences = failures.map((failure) =>
    sentenceOf(failures, failure, validationContext ?? ''),
  );
  return [...new Set(sentences)].join('; ');
};

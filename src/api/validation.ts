import { Ajv, type Options } from 'ajv';
import formats from 'ajv-formats';
import { type FastifySchema, type FastifySchemaCompiler } from 'fastify';

/** Nothing is dropped, guessed or rewritten on the way in. */
const STRICT: Options = {
  coerceTypes: false,
  removeAdditional: false,
  useDefaults: true,
  allErrors: false,
  strict: true,
  strictTypes: false,
  keywords: ['kind'],
};

const bodies = new Ajv(STRICT);

/**
 * Paths, queries and headers are text: "5" is a number and "true" a boolean where the schema says so.
 * With strict numbers a limit would not be looked at for "1e400", which becomes Infinity.
 */
const texts = new Ajv({ ...STRICT, coerceTypes: 'array', strictNumbers: false });

formats.default(bodies);
formats.default(texts);

/** Compiles a route's schemas: strict for bodies, from text for everything else. */
export const compileValidator: FastifySchemaCompiler<FastifySchema> = ({ schema, httpPart }) =>
  (httpPart === 'body' ? bodies : texts).compile(schema);

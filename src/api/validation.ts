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
 * With strict numbers a limit would not be looked at for 400 digits, which become Infinity.
 */
const texts = new Ajv({ ...STRICT, coerceTypes: 'array', strictNumbers: false });

formats.default(bodies);
formats.default(texts);

/**
 * Whole numbers in paths, queries and headers are digits: " 1", "1e2" and "1.0" would pass for numbers, as they do in
 * JavaScript. The one keyword that is looked at before texts become numbers is one of the object around them.
 */
const DIGITS = /^-?\d+$/;

type Validate = ReturnType<FastifySchemaCompiler<FastifySchema>>;
type Properties = Readonly<Record<string, Readonly<{ type?: string }>>>;

const integersIn = (schema: object): readonly string[] =>
  Object.entries((schema as { properties?: Properties }).properties ?? {})
    .filter(([, { type }]) => type === 'integer')
    .map(([name]) => name);

const compileTexts = (schema: object): Validate => {
  const validate = texts.compile(schema) as Validate;
  const integers = integersIn(schema);
  if (integers.length === 0) return validate;
  const digitsOnly: Validate = (data: Readonly<Record<string, unknown>>) => {
    const isOther = (name: string): boolean =>
      typeof data[name] === 'string' && !DIGITS.test(data[name]);
    const other = integers.find(isOther);
    if (other === undefined) {
      const isValid = validate(data);
      digitsOnly.errors = validate.errors ?? null;
      return isValid;
    }
    const fault = { keyword: 'type', instancePath: `/${other}`, schemaPath: '', params: {} };
    digitsOnly.errors = [{ ...fault, message: 'must be a whole number, in digits' }];
    return false;
  };
  return digitsOnly;
};

/** Compiles a route's schemas: strict for bodies, from text for everything else. */
export const compileValidator: FastifySchemaCompiler<FastifySchema> = ({ schema, httpPart }) =>
  httpPart === 'body' ? bodies.compile(schema) : compileTexts(schema);

import { Ajv, type Options } from 'ajv';
import formats from 'ajv-formats';
import { type FastifySchema, type FastifySchemaCompiler } from 'fastify';
import { LAST_POSITION, toPosition } from '../domain/position.js';

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
type Property = Readonly<{ type?: string; format?: string; anyOf?: readonly Property[] }>;
type Given = Record<string, unknown>;

const named = (schema: object, isWanted: (property: Property) => boolean): readonly string[] =>
  Object.entries((schema as { properties?: Record<string, Property> }).properties ?? {})
    .filter(([, property]) => isWanted(property))
    .map(([name]) => name);

const refusing = (validate: Validate, name: string, message: string): false => {
  const fault = { keyword: 'type', instancePath: `/${name}`, schemaPath: '', params: {} };
  validate.errors = [{ ...fault, message }];
  return false;
};

const isPositionSchema = ({ format, anyOf = [] }: Property): boolean =>
  format === 'int64' || anyOf.some(isPositionSchema);

/**
 * Reads the digits of log positions exactly, where a double would not hold them. Bodies stay what was sent, of which
 * commands are a hash.
 */
const withPositions = (schema: object, validate: Validate, isText: boolean): Validate => {
  const names = named(schema, isPositionSchema);
  if (names.length === 0) return validate;
  const exactly: Validate = (data: Given) => {
    const texts = names.flatMap((name) => {
      const text = data[name];
      return typeof text === 'string' && DIGITS.test(text) ? [[name, text] as const] : [];
    });
    const beyond = texts.find(([, text]) => BigInt(text) > LAST_POSITION);
    if (beyond !== undefined)
      return refusing(exactly, beyond[0], `must be at most ${LAST_POSITION}`);
    const isValid = validate(data);
    exactly.errors = validate.errors ?? null;
    if (isValid === true && isText) for (const [name, text] of texts) data[name] = toPosition(text);
    return isValid;
  };
  return exactly;
};

const compileTexts = (schema: object): Validate => {
  const validate = texts.compile(schema) as Validate;
  const integers = named(schema, ({ type }) => type === 'integer');
  if (integers.length === 0) return validate;
  const digitsOnly: Validate = (data: Readonly<Given>) => {
    const isOther = (name: string): boolean =>
      typeof data[name] === 'string' && !DIGITS.test(data[name]);
    const other = integers.find(isOther);
    if (other === undefined) {
      const isValid = validate(data);
      digitsOnly.errors = validate.errors ?? null;
      return isValid;
    }
    return refusing(digitsOnly, other, 'must be a whole number, in digits');
  };
  return digitsOnly;
};

/** Compiles a route's schemas: strict for bodies, from text for everything else. */
export const compileValidator: FastifySchemaCompiler<FastifySchema> = ({ schema, httpPart }) =>
  httpPart === 'body'
    ? withPositions(schema, bodies.compile(schema) as Validate, false)
    : withPositions(schema, compileTexts(schema), true);

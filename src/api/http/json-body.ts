import { isUtf8 } from 'node:buffer';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import { type FastifyInstance, type FastifyRequest, type RouteOptions } from 'fastify';
import { DomainError } from '../../domain/decider.js';
import { isSealed } from '../../domain/personal/sealed-text.js';
import { isKept, isWholeKept } from '../../domain/targeting/instant.js';

/** How deep arrays and objects may nest. */
const MAX_DEPTH = 32;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

/** Where the string that begins at an index ends. */
const endOfString = (text: string, start: number): number => {
  for (let index = start + 1; index < text.length; index += 1) {
    const character = text.charCodeAt(index);
    if (character === BACKSLASH) index += 1;
    else if (character === QUOTE) return index;
  }
  return text.length;
};

/**
 * Deepest nesting of a JSON text and number of its members, found without parsing it: a parser would run out of stack
 * first.
 */
const measure = (text: string): Readonly<{ deepest: number; members: number }> => {
  let depth = 0;
  let deepest = 0;
  let members = 0;
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charCodeAt(index);
    if (character === QUOTE) index = endOfString(text, index);
    else if (character === COLON) members += 1;
    else if (OPENING.has(character)) deepest = Math.max(deepest, (depth += 1));
    else if (CLOSING.has(character)) depth -= 1;
  }
  return { deepest, members };
};

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** Names of the members of all objects in a value. */
const membersOf = (value: object): number => {
  let members = 0;
  if (Array.isArray(value)) {
    for (const element of value as readonly unknown[])
      if (isObject(element)) members += membersOf(element);
    return members;
  }
  for (const key in value) {
    const member: unknown = (value as Readonly<Record<string, unknown>>)[key];
    members += isObject(member) ? 1 + membersOf(member) : 1;
  }
  return members;
};

const refuse = (what: string): never => {
  throw new DomainError('invalid-json', what);
};

const checkText = (text: string): void => {
  if (isSealed(text))
    refuse('A string has the form of sealed personal data, which is only ours to make.');
  if (text.includes('\u0000')) refuse('A string has the character U+0000, which cannot be stored.');
  if (!text.isWellFormed()) refuse('A string has half of a surrogate pair, which is no character.');
};

/** Only these can hide a U+0000, a lone surrogate or sealed text in an otherwise clean text. */
const SUSPICIOUS = /\\u00|\\u[dD][89a-fA-F]|pd1:/;

const checkValue = (value: unknown): void => {
  if (typeof value === 'string') checkText(value);
  else if (typeof value === 'object' && value !== null) {
    for (const [key, member] of Object.entries(value)) {
      checkText(key);
      checkValue(member);
    }
  }
};

/** Only these can hide a `__proto__` key: any of its characters may be escaped. */
const FORBIDDEN_KEY = /__proto__|\\u/;

const checkKeys = (value: unknown): void => {
  if (typeof value !== 'object' || value === null) return;
  if (Object.hasOwn(value, '__proto__')) refuse('The key "__proto__" is not allowed.');
  for (const member of Object.values(value)) checkKeys(member);
};

/** Only these can be numbers that a double does not keep. */
const LONG_NUMBER = /(?:^|[[:,\s])-?(?:[\d.]{16}|[\d.]+[eE])/;

/** Which numbers must be kept as they are sent: all, or whole ones only. */
type Exactness = 'all' | 'whole';

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*|[{}[\],]/g;

const refuseNumber = (literal: string, pointer: string): never => {
  const number = Number(literal);
  if (!Number.isFinite(number)) refuse(`The number at "${pointer}" is too large.`);
  const kept = Number.isInteger(number) ? BigInt(number) : number;
  throw new DomainError(
    'inexact-number',
    `The number ${literal} at "${pointer}" would become ${kept}, because it has more digits than a double. ` +
      `Send it as a string, "${literal}".`,
  );
};

type Place = { readonly keys?: Set<string>; part: string | number; isKeyNext: boolean };

/** A text that is valid JSON once more, with its places: each number is looked at, and no key comes twice. */
const checkTokens = (text: string, exactness: Exactness): void => {
  const places: Place[] = [];
  const isFit = exactness === 'all' ? isKept : isWholeKept;
  const pointer = (): string =>
    places.map(({ part }) => `/${String(part).replace(/~/g, '~0').replace(/\//g, '~1')}`).join('');

  const takeText = (text: string): void => {
    const place = places.at(-1);
    if (place?.isKeyNext !== true) return;
    const key = JSON.parse(text) as string;
    place.part = key;
    place.isKeyNext = false;
    if (place.keys?.has(key) === true) refuse(`The key "${pointer()}" is given twice.`);
    place.keys?.add(key);
  };
  const next = (): void => {
    const place = places.at(-1);
    if (place === undefined) return;
    if (typeof place.part === 'number') place.part += 1;
    else place.isKeyNext = true;
  };
  const marks: Readonly<Record<string, () => unknown>> = {
    '{': () => places.push({ keys: new Set(), part: '', isKeyNext: true }),
    '[': () => places.push({ part: 0, isKeyNext: false }),
    '}': () => places.pop(),
    ']': () => places.pop(),
    ',': next,
  };
  for (const [token] of text.matchAll(TOKEN)) {
    const mark = marks[token];
    if (mark !== undefined) mark();
    else if (token.startsWith('"')) takeText(token);
    else if (!isFit(token) || !Number.isFinite(Number(token))) refuseNumber(token, pointer());
  }
};

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    return refuse(error instanceof Error ? error.message : 'It cannot be parsed.');
  }
};

/**
 * Parses a request body. Refused: broken JSON, nesting over MAX_DEPTH, keys given twice, U+0000, lone surrogates,
 * numbers that a double would change, `__proto__` keys, texts that look sealed: all that could be stored as something
 * else, or poison a read model or a prototype later. `exactness` is `whole` for contexts: they are compared, not kept.
 * @throws DomainError `invalid-json`, `inexact-number`
 */
export const parseJsonBody = (text: string, exactness: Exactness = 'all'): unknown => {
  const { deepest, members } = measure(text);
  if (deepest > MAX_DEPTH) refuse(`Arrays and objects nest deeper than ${MAX_DEPTH}.`);
  const value = parse(text);
  const hasKeyTwice = isObject(value) && membersOf(value) < members;
  if (hasKeyTwice || LONG_NUMBER.test(text)) checkTokens(text, exactness);
  if (SUSPICIOUS.test(text)) checkValue(value);
  if (FORBIDDEN_KEY.test(text)) checkKeys(value);
  return value;
};

const CHARSET = /;\s*charset\s*=\s*"?([^\s;"]+)/i;

/** @throws DomainError for bytes or a charset that are not UTF-8 */
export const requireUtf8 = (contentType: string | undefined, body: Buffer): void => {
  const charset = CHARSET.exec(contentType ?? '')?.[1];
  if (charset !== undefined && !/^utf-?8$/i.test(charset))
    throw new DomainError('unsupported-media-type', `Send JSON in UTF-8, not in ${charset}.`);
  if (!isUtf8(body)) throw new DomainError('invalid-json', 'The body is not valid UTF-8.');
};

const DECODERS: Readonly<
  Record<string, (body: Buffer, limits: { maxOutputLength: number }) => Promise<Buffer>>
> = {
  br: promisify(brotliDecompress),
  deflate: promisify(inflate),
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
};

const isTooLarge = (error: unknown): boolean =>
  error instanceof RangeError && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';

/**
 * A request's body without its Content-Encoding; it may have as many bytes as one that was sent plain.
 * @throws DomainError `unsupported-media-type`, `body-too-large`, `invalid-json`
 */
export const decodeBody = async (
  { headers, routeOptions: { bodyLimit } }: FastifyRequest,
  body: Buffer,
): Promise<Buffer> => {
  const coding = headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  if (coding === 'identity') return body;
  const decode = Object.hasOwn(DECODERS, coding) ? DECODERS[coding] : undefined;
  if (decode === undefined)
    throw new DomainError(
      'unsupported-media-type',
      `Send the body uncompressed or as gzip, deflate or br, not as ${coding}.`,
    );
  try {
    return await decode(body, { maxOutputLength: bodyLimit });
  } catch (error) {
    if (isTooLarge(error))
      throw new DomainError(
        'body-too-large',
        `The decompressed body is larger than ${bodyLimit} bytes.`,
      );
    throw new DomainError(
      'invalid-json',
      `The body is not ${coding}, as its Content-Encoding says.`,
    );
  }
};

const isNothing = (body: unknown): boolean =>
  body === undefined ||
  (typeof body === 'object' && body !== null && Object.keys(body).length === 0);

const refuseBody = async ({ body }: FastifyRequest): Promise<void> => {
  if (isNothing(body)) return;
  throw new DomainError('invalid-request', 'This request takes no body; leave it out.');
};

const BODILESS = new Set(['GET', 'HEAD', 'TRACE']);

const mayCarryBody = ({ method }: RouteOptions): boolean =>
  [method].flat().some((one) => !BODILESS.has(one));

/** JSON in UTF-8 is the only kind of body; a route without a schema for one takes none. */
export const acceptJson = (app: FastifyInstance): void => {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    async (request: FastifyRequest, sent: Buffer) => {
      const { headers, access } = request;
      const body =
        headers['content-encoding'] === undefined ? sent : await decodeBody(request, sent);
      requireUtf8(headers['content-type'], body);
      if (body.length === 0) return undefined;
      const isContext = access === 'evaluation' || access === 'bulk-evaluation';
      return parseJsonBody(body.toString(), isContext ? 'whole' : 'all');
    },
  );
  app.addHook('onRoute', (route) => {
    if (route.schema?.body !== undefined || !mayCarryBody(route)) return;
    route.preValidation = [route.preValidation ?? [], refuseBody].flat();
  });
};

/** No path and no query has U+0000: Postgres cannot store it, so in an event it would stop the read model. */
export const refuseNul = (app: FastifyInstance): void => {
  app.addHook('onRequest', (request, _, done) => {
    const isClean = !request.url.includes('%00');
    done(
      isClean ? undefined : new DomainError('invalid-request', 'The URL contains U+0000 (%00).'),
    );
  });
};

/** Numbers of a connection string, as the client takes them. Milliseconds, but for `gossipTimeout`: seconds. */
export type NumberOption =
  | 'maxDiscoverAttempts'
  | 'discoveryInterval'
  | 'gossipTimeout'
  | 'keepAliveInterval'
  | 'keepAliveTimeout'
  | 'defaultDeadline';

export type TextOption = 'connectionName' | 'tlsCAFile' | 'userCertFile' | 'userKeyFile';

const PREFERENCES = ['leader', 'follower', 'read_only_replica', 'random'] as const;

export type NodePreference = (typeof PREFERENCES)[number];

/** What the options of a connection string say. */
export type KurrentOptions = Readonly<{ tls?: boolean; nodePreference?: NodePreference }> &
  Readonly<Partial<Record<NumberOption, number>>> &
  Readonly<Partial<Record<TextOption, string>>>;

/**
 * A connection string is wrong. The message says what, and quotes nothing of it: any piece may be a part of a password
 * that was not percent-encoded.
 */
export class InvalidConnectionString extends Error {
  override readonly name = 'InvalidConnectionString';
}

/** @throws InvalidConnectionString */
export const fail = (what: string): never => {
  throw new InvalidConnectionString(what);
};

/** From and to; -1 turns a keep-alive off. */
const NUMBERS: Readonly<Record<NumberOption, readonly [least: number, most: number]>> = {
  maxDiscoverAttempts: [1, 1_000],
  discoveryInterval: [1, 60_000],
  gossipTimeout: [1, 60],
  keepAliveInterval: [10_000, 3_600_000],
  keepAliveTimeout: [100, 3_600_000],
  defaultDeadline: [1, 3_600_000],
};

const TEXTS: readonly TextOption[] = ['connectionName', 'tlsCAFile', 'userCertFile', 'userKeyFile'];

const KNOWN = [
  'tls',
  'tlsVerifyCert',
  'throwOnAppendFailure',
  'nodePreference',
  ...(Object.keys(NUMBERS) as NumberOption[]),
  ...TEXTS,
] as const;

type Option = (typeof KNOWN)[number];

/** Names of options are known in any case, and with or without `_` and `-`. */
const flat = (name: string): string => name.toLowerCase().replace(/[_-]/g, '');

const OPTIONS: ReadonlyMap<string, Option> = new Map(KNOWN.map((name) => [flat(name), name]));

/** @throws InvalidConnectionString */
export const decoded = (text: string, what: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return fail(`${what} must be percent-encoded: % is written %25`);
  }
};

export const ENCODED_LOGIN =
  'user and password must be percent-encoded: @ is written %40, : %3A, / %2F, ? %3F, % %25';

const integer = (option: NumberOption, text: string): number => {
  const [least, most] = NUMBERS[option];
  const value = /^-?\d{1,9}$/.test(text) ? Number(text) : NaN;
  const isOff = value === -1 && option.startsWith('keepAlive');
  if (isOff || (value >= least && value <= most)) return value;
  const unit = option === 'gossipTimeout' ? ' (seconds)' : '';
  return fail(`${option} must be a whole number from ${least} to ${most}${unit}`);
};

const truth = (option: Option, text: string): boolean => {
  if (text !== 'true' && text !== 'false') return fail(`${option} must be true or false`);
  return text === 'true';
};

/** What the client cannot do as it is asked. */
const requireTrue = (option: Option, text: string, instead: string): KurrentOptions =>
  truth(option, text) ? {} : fail(`${option}=false is not possible; ${instead}`);

const preference = (text: string): NodePreference =>
  PREFERENCES.find((one) => flat(one) === flat(text)) ??
  fail(`nodePreference must be one of ${PREFERENCES.join(', ')}`);

const isNumber = (option: Option): option is NumberOption => Object.hasOwn(NUMBERS, option);
const isText = (option: Option): option is TextOption =>
  (TEXTS as readonly string[]).includes(option);

const settingOf = (option: Option, text: string): KurrentOptions => {
  if (isNumber(option)) return { [option]: integer(option, text) };
  if (isText(option)) return { [option]: decoded(text, option) };
  switch (option) {
    case 'tls':
      return { tls: truth(option, text) };
    case 'nodePreference':
      return { nodePreference: preference(text) };
    case 'tlsVerifyCert':
      return requireTrue(option, text, 'name the authority that signed it with tlsCAFile');
    case 'throwOnAppendFailure':
      return requireTrue(option, text, 'leave it out');
  }
};

const requirePair = ({ userCertFile, userKeyFile }: KurrentOptions): void => {
  if ((userCertFile === undefined) !== (userKeyFile === undefined))
    fail('userCertFile and userKeyFile must be given together');
};

/** What follows the question mark. @throws InvalidConnectionString */
export const optionsIn = (query: string): KurrentOptions => {
  const given = query.split('&').map((pair, index) => {
    const [, name = '', value = ''] = /^([^=]*)=(.*)$/s.exec(pair) ?? [];
    const option = OPTIONS.get(flat(name));
    if (option === undefined) {
      const hint = `known options: ${KNOWN.join(', ')}; ${ENCODED_LOGIN}`;
      return fail(`option ${index + 1} is not known; ${hint}`);
    }
    if (value === '') return fail(`${option} has no value`);
    return settingOf(option, value);
  });
  const options = Object.assign({}, ...given) as KurrentOptions;
  requirePair(options);
  return options;
};

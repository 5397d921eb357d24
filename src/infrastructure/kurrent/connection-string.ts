import {
  decoded,
  ENCODED_LOGIN,
  fail,
  type KurrentOptions,
  optionsIn,
} from './connection-options.js';

/** Where one node of an event store listens. */
export type KurrentHost = Readonly<{ address: string; port: number }>;

/** What a connection string says. */
export type KurrentSettings = Readonly<{
  /** Asks the hosts by gossip which node leads, instead of using the one host there is. */
  discovers: boolean;
  hosts: readonly KurrentHost[];
  login?: Readonly<{ username: string; password: string }> | undefined;
}> &
  KurrentOptions &
  Readonly<Required<Pick<KurrentOptions, 'tls' | 'nodePreference'>>>;

const DEFAULT_PORT = 2113;

const SCHEME = /^(?:esdb|kurrentdb)(\+discover)?:\/\//;
const HOST = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(?::(\d{1,5}))?$/;

const loginIn = (text: string): KurrentSettings['login'] => {
  const [username = '', password = '', ...more] = text.split(':');
  if (more.length > 0) return fail(ENCODED_LOGIN);
  if (username === '' || password === '') return fail('a login is user:password, both not empty');
  return {
    username: decoded(username, 'the user'),
    password: decoded(password, 'the password'),
  };
};

const hostIn = (text: string, index: number): KurrentHost => {
  const [, address, port = String(DEFAULT_PORT)] = HOST.exec(text) ?? [];
  const isPort = Number(port) >= 1 && Number(port) <= 65_535;
  if (address === undefined || !isPort) {
    return fail(
      `host ${index + 1} is not one: a name or an address, then perhaps : and a port from 1 to 65535`,
    );
  }
  return { address, port: Number(port) };
};

const piecesOf = (text: string) => {
  const scheme = SCHEME.exec(text);
  if (scheme === null) {
    return fail(
      'it must begin with esdb://, esdb+discover://, kurrentdb:// or kurrentdb+discover://',
    );
  }
  const [, authority = '', path = '', query = ''] =
    /^([^/?]*)([^?]*)(?:\?(.*))?$/s.exec(text.slice(scheme[0].length)) ?? [];
  return { discovers: scheme[1] !== undefined, authority, path, query };
};

/**
 * `esdb://[user:password@]host[:port][,host...][?option=value&...]`, with `esdb+discover://`, `kurrentdb://` and
 * `kurrentdb+discover://` as well.
 * @throws InvalidConnectionString
 */
export const parseConnectionString = (text: string): KurrentSettings => {
  const { discovers, authority, path, query } = piecesOf(text);
  const [names = '', login, ...more] = authority.split('@').reverse();
  if (more.length > 0 || `${path}${query}`.includes('@')) return fail(ENCODED_LOGIN);
  if (!/^\/*$/.test(path)) return fail('it has a path; after the hosts come ? and the options');
  const hosts = names.split(',').map(hostIn);
  return {
    discovers: discovers || hosts.length > 1,
    hosts,
    ...(login !== undefined && { login: loginIn(login) }),
    tls: true,
    nodePreference: 'leader',
    ...(query !== '' && optionsIn(query)),
  };
};

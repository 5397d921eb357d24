import { once } from 'node:events';
import { connect as http2Connect } from 'node:http2';
import { connect as tcpConnect, isIP, type Socket } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { askForAnswer, KurrentClient } from './client.js';
import { type KurrentHost, type KurrentSettings } from './connection-string.js';
import { ClientGivenUp, type HeldClient, holdClient } from './held-client.js';
import { type TlsFiles } from './tls-files.js';
import { pause } from '../waiting.js';

/** A host cannot be used. The message says which host, and why. */
export class HostUnusable extends Error {
  override readonly name = 'HostUnusable';
  /** Nothing that waiting could change. */
  readonly isMistake: boolean;
  constructor(message: string, options: Readonly<{ cause: unknown; isMistake: boolean }>) {
    super(message, { cause: options.cause });
    this.isMistake = options.isMistake;
  }
}

const UNTRUSTED =
  'its certificate is signed by an authority that is not trusted here; name the authority with tlsCAFile';
const NO_TLS = 'it does not speak TLS; it may want tls=false';
const NOT_HTTP2 = 'what listens there is no event store, or it wants TLS (tls=true)';
/** As a proxy without its server does, or a server that wants TLS. */
const CLOSES = 'it accepts connections and closes them';
const MAY_WANT_TLS = 'it may want TLS (tls=true)';
const WANTS_CERTIFICATE = 'it wants a client certificate (userCertFile, userKeyFile)';

/** Errors of Node and OpenSSL that somebody has to put right, in words. */
const MISTAKES: Readonly<Record<string, string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  CERT_SIGNATURE_FAILURE: UNTRUSTED,
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
  EPROTO: NO_TLS,
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: WANTS_CERTIFICATE,
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: 'it refuses the TLS handshake',
  ERR_HTTP2_ERROR: NOT_HTTP2,
  ERR_HTTP2_SESSION_ERROR: NOT_HTTP2,
};

/** Errors that pass, in words. */
const PASSING: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'its name cannot be looked up',
  ETIMEDOUT: 'it cannot be reached',
  EHOSTUNREACH: 'it cannot be reached',
  ENETUNREACH: 'it cannot be reached',
  ECONNRESET: CLOSES,
};

const codeOf = (error: unknown): string => {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : '';
};

const reasonOf = (error: unknown): string =>
  MISTAKES[codeOf(error)] ??
  PASSING[codeOf(error)] ??
  (error instanceof Error && error.message !== '' ? error.message : CLOSES);

/** What was being waited for when nothing came. */
type Stage = { waitsFor: string };

const dialled = async (
  { address, port }: KurrentHost,
  signal: AbortSignal,
  opened: (socket: Socket) => void,
): Promise<Socket> => {
  const socket = tcpConnect({ host: address.replace(/^\[|\]$/g, ''), port });
  opened(socket);
  await once(socket, 'connect', { signal });
  return socket;
};

const secured = async (
  socket: Socket,
  { address }: KurrentHost,
  { tls, signal }: Readonly<{ tls: TlsFiles; signal: AbortSignal }>,
): Promise<Socket> => {
  const host = address.replace(/^\[|\]$/g, '');
  const { ca, cert, key } = tls;
  const secure = tlsConnect({
    ...{ socket, host, ca, cert, key, ALPNProtocols: ['h2'] },
    ...(isIP(host) === 0 && { servername: host }),
  });
  await once(secure, 'secureConnect', { signal });
  return secure;
};

/** Waits for the settings with which every HTTP/2 server begins. */
const greeted = async (socket: Socket, signal: AbortSignal): Promise<void> => {
  const session = http2Connect('http://event-store', { createConnection: () => socket });
  const end = (): void => {
    session.destroy();
  };
  // Errors after the first have nobody to tell.
  session.on('error', () => undefined);
  try {
    const closed = once(session, 'close', { signal }).then(() => {
      throw new Error(CLOSES);
    });
    await Promise.race([once(session, 'remoteSettings', { signal }), closed]);
  } finally {
    end();
  }
};

/**
 * Connects to a host as the client would, up to the first word of its HTTP/2 server, and hangs up. The client itself
 * waits without end for a handshake that is not answered, and tells no cause.
 * @throws HostUnusable, within `timeoutMs`
 */
const greetHost = async (
  host: KurrentHost,
  { tls, timeoutMs }: Readonly<{ tls: TlsFiles | undefined; timeoutMs: number }>,
): Promise<void> => {
  const signal = AbortSignal.timeout(timeoutMs);
  const stage: Stage = { waitsFor: 'it does not answer' };
  let opened: Socket | undefined;
  try {
    const plain = await dialled(host, signal, (socket) => {
      opened = socket;
      socket.on('error', () => undefined);
    });
    stage.waitsFor = 'it accepts connections and does not answer the TLS handshake';
    const socket = tls === undefined ? plain : await secured(plain, host, { tls, signal });
    stage.waitsFor = 'it accepts connections and stays silent';
    await greeted(socket, signal);
  } catch (error) {
    const told = signal.aborted ? stage.waitsFor : reasonOf(error);
    const reason = told === CLOSES && tls === undefined ? `${CLOSES}; ${MAY_WANT_TLS}` : told;
    throw new HostUnusable(`${host.address}:${host.port}: ${reason}`, {
      cause: error,
      isMistake: !signal.aborted && Object.hasOwn(MISTAKES, codeOf(error)),
    });
  } finally {
    opened?.destroy();
  }
};

/** While one attempt is unanswered another is begun this much later: an answer may never come, or be slow. */
const NEXT_ATTEMPT_MS = 1_500;
/** An attempt may take this long: name, connection, TLS, gossip, connection to the leader, TLS, question. */
const ATTEMPT_MS = 10_000;
/** After an attempt that failed. */
const RETRY_MS = 250;
/** Hosts that greet this much later than the first are not asked who leads. */
const LATE_HOST_MS = 250;

type Target = Readonly<{ settings: KurrentSettings; tls: TlsFiles | undefined }>;

export const unanswered = (): Error => new ClientGivenUp('The event store does not answer.');

/** The hosts that greet. @throws HostUnusable when none does: of the one that somebody has to put right, if any */
export const greeting = async (
  { settings, tls }: Target,
  timeoutMs = ATTEMPT_MS,
): Promise<readonly KurrentHost[]> => {
  const found: KurrentHost[] = [];
  const greetings = settings.hosts.map(async (host) => {
    await greetHost(host, { tls, timeoutMs });
    found.push(host);
  });
  try {
    await Promise.any(greetings);
  } catch (error) {
    const { errors } = error as AggregateError;
    throw errors.find((one) => one instanceof HostUnusable && one.isMistake) ?? errors[0];
  }
  await Promise.race([Promise.allSettled(greetings), pause(LATE_HOST_MS, { ref: false })]);
  return [...found];
};

let made = 0;

/** A client that answered. @throws when it cannot connect, when nothing comes, or when the signal aborts */
const attempt = async (target: Target, signal: AbortSignal): Promise<HeldClient> => {
  const hosts = await greeting(target);
  if (signal.aborted) throw unanswered();
  made += 1;
  const held = holdClient(
    new KurrentClient(target.settings, { hosts, tls: target.tls, nth: made }),
  );
  const limit = pause(ATTEMPT_MS, { signal, ref: false }).then(() => {
    throw unanswered();
  });
  try {
    await Promise.race([askForAnswer(held.client), limit]);
    return held;
  } catch (error) {
    await held.end(unanswered());
    throw error;
  }
};

type Connecting = Readonly<{ signal: AbortSignal; blame: (error: Error) => void }>;

/**
 * Attempts side by side, until one is answered: one that waits for a handshake never ends by itself. `blame` is told
 * why one failed. @returns undefined when the signal aborts before
 */
export const connect = async (
  target: Target,
  { signal, blame }: Connecting,
): Promise<HeldClient | undefined> => {
  const enough = new AbortController();
  const over = AbortSignal.any([signal, enough.signal]);
  const found: HeldClient[] = [];
  let running = 0;
  const begin = async (): Promise<void> => {
    running += 1;
    try {
      const held = await attempt(target, over);
      if (over.aborted) await held.end(unanswered());
      else found.push(held);
      enough.abort();
    } catch (error) {
      if (!over.aborted) blame(error as Error);
    }
    running -= 1;
  };
  while (!over.aborted) {
    await Promise.race([begin(), pause(NEXT_ATTEMPT_MS, { signal: over, ref: false })]);
    if (running === 0) await pause(RETRY_MS, { signal: over, ref: false });
  }
  return found[0];
};

import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createSecureContext, rootCertificates } from 'node:tls';
import { InvalidConnectionString } from './connection-options.js';
import { type KurrentSettings } from './connection-string.js';

/** Certificates and keys in PEM. */
export type TlsFiles = Readonly<{ ca: Buffer; cert?: Buffer; key?: Buffer }>;

/** Where systems keep the authorities they trust: Debian, Red Hat, SUSE, Alpine and macOS. */
const SYSTEM_FILES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

const read = (file: string, what: string): Buffer => {
  try {
    return readFileSync(file);
  } catch {
    throw new InvalidConnectionString(`the file of ${what} cannot be read`);
  }
};

const requireCertificate = (pem: Buffer, what: string): Buffer => {
  try {
    new X509Certificate(pem);
    return pem;
  } catch {
    throw new InvalidConnectionString(`the file of ${what} is no certificate in PEM`);
  }
};

/** Node's own authorities, the system's, and those of NODE_EXTRA_CA_CERTS, which the client would leave out. */
const trusted = (extraFile: string | undefined): Buffer => {
  const system = SYSTEM_FILES.find((file) => existsSync(file));
  const files = [system, extraFile].filter((file) => file !== undefined);
  const found = files.map((file) => read(file, 'trusted authorities').toString());
  return Buffer.from([...rootCertificates, ...found].join('\n'));
};

const ownPair = ({
  userCertFile,
  userKeyFile,
}: KurrentSettings): Readonly<{ cert?: Buffer; key?: Buffer }> => {
  if (userCertFile === undefined || userKeyFile === undefined) return {};
  const cert = requireCertificate(read(userCertFile, 'userCertFile'), 'userCertFile');
  const key = read(userKeyFile, 'userKeyFile');
  try {
    createSecureContext({ cert, key });
  } catch {
    throw new InvalidConnectionString('userKeyFile is not the key of userCertFile');
  }
  return { cert, key };
};

/**
 * What TLS needs; undefined without it. `extraFile`: NODE_EXTRA_CA_CERTS.
 * @throws InvalidConnectionString when a file cannot be used
 */
export const tlsFilesOf = (settings: KurrentSettings, extraFile?: string): TlsFiles | undefined => {
  const { tls, tlsCAFile } = settings;
  if (!tls) return undefined;
  const ca =
    tlsCAFile === undefined
      ? trusted(extraFile)
      : requireCertificate(read(tlsCAFile, 'tlsCAFile'), 'tlsCAFile');
  return { ca, ...ownPair(settings) };
};

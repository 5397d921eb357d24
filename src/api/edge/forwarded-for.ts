import { type IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { type FastifyInstance } from 'fastify';

const NAME = 'x-forwarded-for';

/** `1.2.3.4:80`, `[2001:db8::1]:80`, and either without a port; some proxies put quotes around. */
const ENTRY = /^"?(?:\[([\da-f:.]+)\]|([\d.]+))(?::\d+)?"?$|^"?([\da-f:.]+)"?$/i;

/** The address alone; undefined for what is none. */
const addressIn = (entry: string): string | undefined => {
  const [, bracketed, v4, v6] = ENTRY.exec(entry) ?? [];
  const address = bracketed ?? v4 ?? v6 ?? '';
  return isIP(address) === 0 ? undefined : address;
};

/** What is right of the last entry that is no address: proxies append, so what is left of it is only alleged. */
const cleanEntries = (header: string): readonly string[] => {
  const entries = header.split(',').map((entry) => entry.trim());
  const clean: string[] = [];
  for (const entry of entries.filter((one) => one !== '').toReversed()) {
    const address = addressIn(entry);
    if (address === undefined) break;
    clean.unshift(address);
  }
  return clean;
};

const cleanHeader = (headers: IncomingHttpHeaders): void => {
  const given = headers[NAME];
  if (given === undefined) return;
  const clean = cleanEntries(String(given));
  if (clean.length > 0) headers[NAME] = clean.join(', ');
  else Reflect.deleteProperty(headers, NAME);
};

/**
 * Makes X-Forwarded-For a list of addresses before anybody asks for `request.ip`. Some proxies send the client's port
 * along, which is another one for every connection. For an entry that is no address, the proxy that sent it counts.
 * Comes before every hook that looks at addresses.
 */
export const cleanForwardedFor = (
  app: FastifyInstance,
  trustedProxies: readonly string[] | undefined,
): void => {
  // Nobody reads the header then.
  if (trustedProxies === undefined) return;
  app.addHook('onRequest', (request, _, done) => {
    cleanHeader(request.raw.headers);
    done();
  });
};

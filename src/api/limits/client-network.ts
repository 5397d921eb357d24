import { addressOf } from '../../domain/targeting/network.js';

/** Whom an address stands for: itself, but for IPv6 its /64, all of which one client usually has. */
export const clientNetwork = (ip: string): string => {
  const address = addressOf(ip);
  if (address === undefined || address.isV4) return ip.replace(/^::ffff:/i, '');
  const [first, second] = address.words;
  return `${(first >>> 0).toString(16)}-${(second >>> 0).toString(16)}`;
};

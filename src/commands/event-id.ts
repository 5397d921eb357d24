import { createHash } from 'node:crypto';

/** UUID (version 8, RFC 9562) of the index-th event of a command on a stream: the same on every retry. */
export const eventId = (stream: string, commandId: string, index: number): string => {
  const hex = createHash('sha256').update(`${stream}\n${commandId}\n${index}`).digest('hex');
  const variant = ((parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
};

/** SHA-256 (hex) of a command's canonical text. */
export const commandHashOf = (canonicalCommand: string): string =>
  createHash('sha256').update(canonicalCommand).digest('hex');

// RFC 4632 and RFC 4291. An IPv4 address mapped into IPv6 (::ffff:0:0/96) is that IPv4 address.

/** An address as four words of 32 bits; an IPv4 address is the last of them. */
export type Address = { isV4: boolean; words: [number, number, number, number] };

/** The addresses whose first `bits` of `address` are the same. */
export type Network = Readonly<{ address: Address; masks: Address['words'] }>;

const MAPPED = 0xffff;
const OCTET = /^(?:0|[1-9]\d{0,2})$/;
const GROUP = /^[0-9A-Fa-f]{1,4}$/;
const PREFIX = /^(?:0|[1-9]\d{0,2})$/;
const LONGEST = 64;

/** An IPv4 address as 32 bits, unsigned; −1 for what is none, such as octets with leading zeros. */
const v4Word = (text: string): number => {
  const octets = text.split('.');
  if (octets.length !== 4) return -1;
  let word = 0;
  for (const octet of octets) {
    const value = OCTET.test(octet) ? Number(octet) : 256;
    if (value > 255) return -1;
    word = word * 256 + value;
  }
  return word;
};

/** The groups of one side of `::`, a last one in dotted form as two; undefined when one is none. */
const groupsOf = (text: string): readonly number[] | undefined => {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    const word = part.includes('.') && index === parts.length - 1 ? v4Word(part) : -1;
    if (word >= 0) groups.push(word >>> 16, word & 0xffff);
    else if (GROUP.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
};

/** What stands before and after `::`; the dotted form is for the last two groups only. */
const sidesOf = (text: string): readonly [head: string, tail: string] | undefined => {
  const [head = '', tail = '', more] = text.split('::');
  return more !== undefined || head.includes('.') ? undefined : [head, tail];
};

const shortenedGroups = (text: string): readonly number[] | undefined => {
  const [head, tail] = sidesOf(text)?.map(groupsOf) ?? [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  return missing < 1 ? undefined : [...head, ...Array.from({ length: missing }, () => 0), ...tail];
};

/** The eight groups of an IPv6 address, with zeros where `::` stands. */
const allGroups = (text: string): readonly number[] | undefined => {
  if (text.includes('::')) return shortenedGroups(text);
  const groups = groupsOf(text);
  return groups?.length === 8 ? groups : undefined;
};

const v6Address = (text: string): Address | undefined => {
  const groups = allGroups(text);
  if (groups === undefined) return undefined;
  const wordAt = (index: number): number =>
    ((groups[index * 2] ?? 0) << 16) | (groups[index * 2 + 1] ?? 0);
  const words: Address['words'] = [wordAt(0), wordAt(1), wordAt(2), wordAt(3)];
  const isV4 = words[0] === 0 && words[1] === 0 && words[2] === MAPPED;
  return isV4 ? { isV4, words: [0, 0, 0, words[3]] } : { isV4, words };
};

/** An IPv4 or IPv6 address, without zone; undefined for what is none. */
export const addressOf = (text: string): Address | undefined => {
  if (text.length > LONGEST) return undefined;
  if (text.includes(':')) return v6Address(text);
  const word = v4Word(text);
  return word < 0 ? undefined : { isV4: true, words: [0, 0, 0, word | 0] };
};

const maskOf = (bits: number): number => (bits <= 0 ? 0 : bits >= 32 ? -1 : -1 << (32 - bits));

/** How many bits of 128 a prefix counts; −1 for one that the address cannot have. */
const prefixBits = (text: string, prefix: string | undefined, { isV4 }: Address): number => {
  const isWrittenV4 = !text.includes(':');
  if (prefix === undefined) return 128;
  if (!PREFIX.test(prefix)) return -1;
  const bits = Number(prefix) + (isWrittenV4 ? 96 : 0);
  return bits > 128 || (isV4 && bits < 96) ? -1 : bits;
};

/** A network in CIDR notation, or one address; host bits are ignored. Undefined for what is neither. */
export const networkOf = (text: string): Network | undefined => {
  const [addressText = '', prefix, more] = text.split('/');
  const address = addressOf(addressText);
  if (address === undefined || more !== undefined) return undefined;
  const bits = prefixBits(addressText, prefix, address);
  if (bits < 0) return undefined;
  return {
    address,
    masks: [maskOf(bits), maskOf(bits - 32), maskOf(bits - 64), maskOf(bits - 96)],
  };
};

/** Whether the network has the address. No IPv6 network has an IPv4 address. */
export const isWithin = ({ isV4, words }: Address, { address, masks }: Network): boolean =>
  isV4 === address.isV4 &&
  ((words[3] ^ address.words[3]) & masks[3]) === 0 &&
  ((words[0] ^ address.words[0]) & masks[0]) === 0 &&
  ((words[1] ^ address.words[1]) & masks[1]) === 0 &&
  ((words[2] ^ address.words[2]) & masks[2]) === 0;

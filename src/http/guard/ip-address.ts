import { net } from '../../internal/modules/node-modules.ts';

/** An address as its 4 or 16 bytes. */
export type AddressBytes = readonly number[];

/** The bytes of an IPv4 or IPv6 address in its textual form, without brackets; `undefined` for anything else. */
export function parseAddress(text: string): AddressBytes | undefined {
  if (net().isIPv4(text)) return text.split('.').map(Number);
  return text.includes(':') && net().isIPv6(text) ? parseIPv6(text) : undefined;
}

/** RFC 4291, 2.2. A zone (`%eth0`) has no bytes and is dropped: every zoned address is link-local. */
function parseIPv6(text: string): AddressBytes {
  const plain = (text.split('%')[0] ?? '').replace(/[\d.]+\.\d+$/, embeddedWords);
  const [left = '', right] = plain.split('::');
  const head = words(left);
  const tail = right === undefined ? [] : words(right);
  const gap = right === undefined ? 0 : 8 - head.length - tail.length;
  const all = [...head, ...Array.from({ length: Math.max(0, gap) }, () => 0), ...tail];
  return all.flatMap((word) => [word >> 8, word & 0xff]);
}

const words = (part: string) => (part === '' ? [] : part.split(':').map((word) => Number.parseInt(word, 16)));

function embeddedWords(dotted: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = dotted.split('.').map(Number);
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}

/** A range of addresses, as in `10.0.0.0/8`. */
export interface AddressRange {
  readonly base: AddressBytes;
  readonly prefixBits: number;
}

/** Parses `10.0.0.0/8`, `fd00::/8` or a single address; `undefined` for anything else. */
export function parseRange(text: string): AddressRange | undefined {
  const [address = '', prefix, ...rest] = text.split('/');
  const base = parseAddress(address.replace(/^\[(.*)\]$/, '$1'));
  if (base === undefined || rest.length > 0) return undefined;
  if (prefix === undefined) return { base, prefixBits: base.length * 8 };
  const prefixBits = /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
  return prefixBits <= base.length * 8 ? { base, prefixBits } : undefined;
}

/** Whether an address lies in a range of its own family. */
export function inRange(address: AddressBytes, { base, prefixBits }: AddressRange): boolean {
  if (address.length !== base.length) return false;
  for (let index = 0; index * 8 < prefixBits; index += 1) {
    const mask = 0xff & (0xff << Math.max(0, 8 - (prefixBits - index * 8)));
    if (((address[index] ?? 0) & mask) !== ((base[index] ?? 0) & mask)) return false;
  }
  return true;
}

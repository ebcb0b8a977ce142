import { lazy } from '../../internal/modules/lazy.ts';
import { type AddressBytes, type AddressRange, inRange, parseRange } from './ip-address.ts';

/**
 * IPv4 addresses outside the public internet: IANA's special-purpose registry (RFC 6890 and its updates), multicast and
 * reserved space. 168.63.129.16 is Azure's host agent in every virtual machine.
 */
const RESERVED_IPV4 = lazyRanges(
  '0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 168.63.129.16/32 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24',
  '192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4',
);

/** IPv6 outside of this is loopback, link-local, unique local, multicast, a tunnel or unassigned (RFC 4291, 2.4). */
const GLOBAL_IPV6 = lazyRanges('2000::/3');

/** Parts of that space that are not public: Teredo and other protocol assignments, documentation, 6to4. */
const RESERVED_IPV6 = lazyRanges('2001::/23 2001:db8::/32 2002::/16 3fff::/20');

/** An IPv4 address in the last four bytes: IPv4-mapped (RFC 4291) and the well-known NAT64 prefix (RFC 6052). */
const EMBEDS_IPV4 = lazyRanges('::ffff:0:0/96 64:ff9b::/96');

/** The IPv4 address that a connection to this IPv6 address ends at. */
export const embeddedIPv4 = (address: AddressBytes): AddressBytes | undefined =>
  address.length === 16 && within(address, EMBEDS_IPV4()) ? address.slice(12) : undefined;

/** ISATAP (RFC 5214, 6.1): an interface identifier of `0:5efe` or `200:5efe` and an IPv4 address, below any prefix. */
const isIsatap = (address: AddressBytes): boolean =>
  ((address[8] ?? 0) & 0xfd) === 0 && address[9] === 0 && address[10] === 0x5e && address[11] === 0xfe;

/** Whether an address is a host of the public internet: neither private nor reserved, in any of its encodings. */
export function isPublicAddress(address: AddressBytes): boolean {
  if (address.length === 4) return !within(address, RESERVED_IPV4());
  const embedded = embeddedIPv4(address);
  if (embedded !== undefined) return isPublicAddress(embedded);
  // A host with such an interface would tunnel to that address. Anyone may use one below a prefix of their own.
  if (isIsatap(address) && !isPublicAddress(address.slice(12))) return false;
  return within(address, GLOBAL_IPV6()) && !within(address, RESERVED_IPV6());
}

const within = (address: AddressBytes, list: readonly AddressRange[]) => list.some((range) => inRange(address, range));

/** Parsed at the first address, because Node then compiles its patterns of addresses, which takes long. */
function lazyRanges(...lists: readonly string[]): () => readonly AddressRange[] {
  return lazy(() => lists.flatMap((list) => list.split(' ')).flatMap((text) => parseRange(text) ?? []));
}

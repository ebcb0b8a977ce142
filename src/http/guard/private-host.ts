import { withoutTrailing } from '../../internal/without-trailing.ts';
import { type AddressBytes, parseAddress } from './ip-address.ts';
import { isPublicAddress } from './public-address.ts';

/**
 * Names that are never public hosts: RFC 6761 and 6762, ICANN's `.internal`, and names of clusters and metadata
 * services.
 */
const PRIVATE_NAME =
  /(?:^|\.)(?:localhost|localdomain|local|internal|intranet|lan|home|corp|private|home\.arpa|onion|test|invalid|svc|consul|docker|localdomain6|localhost6)$/;

/**
 * The host in the form of its look-up: the URL parser has decoded it and written every form of IPv4 as dotted decimals.
 */
export const hostOf = ({ hostname }: URL): string =>
  withoutTrailing(hostname.startsWith('[') ? hostname.slice(1, -1) : hostname, '.');

/** Whether an address is not public or, without one, a name is of a local network. A name without a dot is. */
export const isPrivate = (host: string, address: AddressBytes | undefined): boolean =>
  address === undefined ? PRIVATE_NAME.test(host) || !host.includes('.') : !isPublicAddress(address);

/**
 * Tells by its written address whether a server is in the own network: loopback, private, link-local or reserved, or a
 * name of the local network. Nothing is resolved, so that a public name with a private address is not recognised.
 */
export function isPrivateServer(url: string): boolean {
  const host = hostOf(new URL(url));
  return isPrivate(host, parseAddress(host));
}

/** Whether a server is on this machine by its written address. Then it resolves names as this process does. */
export function isThisMachine(url: string): boolean {
  const host = hostOf(new URL(url));
  return /^(?:localhost|127\.[\d.]+|::1)$/.test(host);
}

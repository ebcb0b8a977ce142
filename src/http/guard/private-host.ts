import { withoutTrailing } from '../../internal/without-trailing.ts';
import { parseAddress } from './ip-address.ts';
import { isPublicAddress } from './public-address.ts';

/**
 * Names that are never a public host: RFC 6761 and 6762, ICANN's `.internal`, and what clusters and metadata answer to.
 */
const PRIVATE_NAME =
  /(?:^|\.)(?:localhost|localdomain|local|internal|intranet|lan|home|corp|private|home\.arpa|onion|test|invalid|svc|consul|docker|localdomain6|localhost6)$/;

/** The host as it is looked up: the URL parser has decoded it and written every form of IPv4 as dotted decimals. */
export const hostOf = ({ hostname }: URL): string =>
  withoutTrailing(hostname.startsWith('[') ? hostname.slice(1, -1) : hostname, '.');

/** Whether a name is one of a local network. One without a dot is. */
export const isPrivateName = (host: string): boolean => PRIVATE_NAME.test(host) || !host.includes('.');

/**
 * Tells whether a server is in the own network by its written address: loopback, private, link-local or reserved, or a
 * name of the local network. Nothing is resolved, so that a public name of a private address is not recognised.
 */
export function isPrivateServer(url: string): boolean {
  const host = hostOf(new URL(url));
  const address = parseAddress(host);
  return address === undefined ? isPrivateName(host) : !isPublicAddress(address);
}

/** Whether a server is on this machine by its address as it is written, and so finds names as this process does. */
export function isThisMachine(url: string): boolean {
  const host = hostOf(new URL(url));
  return /^(?:localhost|127\.[\d.]+|::1)$/.test(host);
}

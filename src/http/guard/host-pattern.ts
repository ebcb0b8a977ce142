import { withoutTrailing } from '../../internal/without-trailing.ts';
import { type AddressBytes, inRange, parseRange } from './ip-address.ts';

/** Tells whether the pattern covers a host, or an address that it resolved to. */
export type HostPattern = (host: string, address: AddressBytes | undefined) => boolean;

/**
 * Parses `name`, `*.name`, an address or a range; `undefined` for anything else. Names are compared in the form of the
 * URL parser.
 */
export function parseHostPattern(text: string): HostPattern | undefined {
  const range = parseRange(text);
  if (range !== undefined) return (_host, address) => address !== undefined && inRange(address, range);
  const wildcard = text.startsWith('*.');
  const name = normalName(wildcard ? text.slice(2) : text);
  if (name === undefined) return undefined;
  return wildcard ? (host) => host.endsWith(`.${name}`) : (host) => host === name;
}

function normalName(name: string): string | undefined {
  if (name === '' || /[\s/:@?#*\\[\]%]/.test(name) || !URL.canParse(`http://${name}/`)) return undefined;
  return withoutTrailing(new URL(`http://${name}/`).hostname, '.') || undefined;
}

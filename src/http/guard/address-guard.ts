import { ImageError, InputError } from '../../errors/index.ts';
import { imageTextOf } from '../../internal/options/image-value.ts';
import { check, checkOptions, listOf, type OptionChecks } from '../../internal/options/option-checks.ts';
import { withDefault } from '../../internal/options/option-spec.ts';
import { type HostPattern, parseHostPattern } from './host-pattern.ts';
import { type AddressBytes, parseAddress } from './ip-address.ts';
import { hostOf, isPrivate } from './private-host.ts';
import { embeddedIPv4 } from './public-address.ts';

/**
 * Which hosts images may come from. A pattern is a host name (`images.example.com`), a name with everything below it
 * (`*.example.com`), an address (`10.1.2.3`, `::1`) or a range (`10.0.0.0/8`).
 */
export interface AddressGuardOptions {
  /**
   * Hosts and ranges that pass although private or reserved, such as an image store of your own network.
   * @defaultValue none
   */
  readonly allowHosts?: readonly string[] | undefined;
  /** Hosts and ranges that never pass; wins over the other two. @defaultValue none */
  readonly denyHosts?: readonly string[] | undefined;
  /** Where given, only these hosts pass; private ones need `allowHosts` too. @defaultValue every public host */
  readonly onlyHosts?: readonly string[] | undefined;
}

const hostPattern = check(
  'a host name, *.name, an address or a range such as 10.0.0.0/8',
  (value) => typeof value === 'string' && parseHostPattern(value) !== undefined,
);

/** Checks of the guard's options, for owners that nest them. */
export const ADDRESS_GUARD_SPEC = {
  allowHosts: withDefault(listOf(hostPattern), []),
  denyHosts: withDefault(listOf(hostPattern), []),
  onlyHosts: listOf(hostPattern),
} satisfies OptionChecks<AddressGuardOptions>;

/** Longest URL that passes. Browsers and CDNs accept less. */
const MAX_URL_LENGTH = 16_384;

/** The error for a host that may not be used. Names the host as written, unless a stranger chose it. */
export const forbidden = (field: string, host?: string): ImageError =>
  // One text for every reason, so that it reveals neither the address of a name nor what answers there.
  new ImageError(
    'DESCRIBE_IMAGE_FORBIDDEN',
    `${field}: images may not come from ${host === undefined ? 'where it redirects to' : shortHost(host)}. ` +
      'A private host has to be in `images.allowHosts`; see also `denyHosts` and `onlyHosts`.',
  );

const shortHost = (host: string): string => (host.length <= 100 ? host : `${host.slice(0, 99)}…`);

/** The error for a URL with a user or password, which would be sent to the API. */
export const hasCredentials = (field: string): ImageError =>
  new ImageError(
    'DESCRIBE_IMAGE_FORBIDDEN',
    `${field}: must have no user or password; got a URL with them. Sign it, or pass the bytes as \`{ image }\`.`,
  );

/**
 * Decides which addresses images may come from. `checkUrl` is for a URL that is passed on: it needs neither
 * DNS nor a request. `checkAddress` is for each resolved address, before a connection opens.
 *
 * @example
 * ```ts
 * import { AddressGuard } from '@describe-it/sdk/image';
 *
 * const guard = new AddressGuard({ allowHosts: ['10.20.0.0/16'] });
 * guard.checkUrl('https://images.example.com/cat.jpg');
 * ```
 */
export class AddressGuard {
  readonly #allow: readonly HostPattern[];
  readonly #deny: readonly HostPattern[];
  readonly #only: readonly HostPattern[] | undefined;

  /** @throws `DESCRIBE_CONFIG_INVALID` for a wrong pattern. */
  constructor(options: AddressGuardOptions = {}) {
    const { allowHosts, denyHosts, onlyHosts } = checkOptions('AddressGuard', options, ADDRESS_GUARD_SPEC);
    this.#allow = patterns(allowHosts);
    this.#deny = patterns(denyHosts);
    this.#only = onlyHosts === undefined ? undefined : patterns(onlyHosts);
  }

  /**
   * Returns the parsed URL if it has an allowed scheme, no credentials, and an allowed host. A private or reserved
   * address is recognised in any encoding.
   *
   * @param field - The caller's name of the value, for the error.
   * @throws `DESCRIBE_INPUT_INVALID` for a value that is not an http or https URL.
   * @throws `DESCRIBE_IMAGE_FORBIDDEN` for credentials in the URL, or a forbidden host.
   */
  checkUrl(value: string | URL, field = 'imageUrl'): URL {
    const url = parseUrl(value, field);
    if (url.username !== '' || url.password !== '') throw hasCredentials(field);
    const host = hostOf(url);
    // No name has an empty label. But `127.1..` is a number to resolvers that drop the dots, and no number to the URL
    // parser.
    if (url.hostname.startsWith('.') || url.hostname.includes('..')) throw forbidden(field, host);
    this.#check(host, parseAddress(host), field);
    return url;
  }

  /**
   * Passes when a connection to `address`, which `host` resolved to, may open.
   *
   * @throws `DESCRIBE_IMAGE_FORBIDDEN` when it may not.
   */
  checkAddress(host: string, address: AddressBytes | string, field = 'imageUrl'): void {
    const bytes = typeof address === 'string' ? parseAddress(address) : address;
    if (bytes === undefined) throw forbidden(field, host);
    this.#check(host, bytes, field);
  }

  #check(host: string, address: AddressBytes | undefined, field: string): void {
    const isOn = (list: readonly HostPattern[]) => matches(list, host, address);
    const isOutside = this.#only !== undefined && !isOn(this.#only);
    if (isOn(this.#deny) || isOutside || (isPrivate(host, address) && !isOn(this.#allow))) throw forbidden(field, host);
  }
}

function parseUrl(value: string | URL, field: string): URL {
  const text = typeof value === 'string' ? value : value.href;
  const url = urlOf(text);
  const isWeb = url?.protocol === 'http:' || url?.protocol === 'https:';
  if (url === undefined || !isWeb) throw noWebAddress(text, field);
  if (text.length > MAX_URL_LENGTH) {
    throw new InputError(
      field,
      `must have at most ${MAX_URL_LENGTH} characters; got ${text.length}. Pass the bytes as \`{ image }\`.`,
    );
  }
  return url;
}

/** Parsed once: `canParse` and the constructor would do it twice for every call. */
function urlOf(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

function noWebAddress(text: string, field: string): InputError {
  const { kind, advice } = imageTextOf(text);
  const said = /^\s*https?:/i.test(text.slice(0, 64))
    ? "got one that can't be parsed. Check its host and its characters."
    : `got ${kind}. ${advice}`;
  return new InputError(field, `must be an http, https or data URL; ${said}`);
}

const patterns = (texts: readonly string[]): readonly HostPattern[] =>
  texts.flatMap((text) => parseHostPattern(text) ?? []);

/** A range of IPv4 also covers its addresses in their IPv6 form. */
function matches(list: readonly HostPattern[], host: string, address?: AddressBytes): boolean {
  const embedded = address && embeddedIPv4(address);
  return list.some((pattern) => pattern(host, address) || (embedded && pattern(host, embedded)));
}

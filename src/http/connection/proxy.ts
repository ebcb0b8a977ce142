import { ConfigError, type ConfigIssue } from '../../errors/index.ts';
import { inRange, parseAddress, parseRange } from '../guard/ip-address.ts';
import { hostOf } from '../guard/private-host.ts';

/** The proxies for each scheme, and the hosts without one. */
export interface ProxySettings {
  /** Proxy for `https:` URLs. */
  readonly httpsProxy?: string | undefined;
  /** Proxy for `http:` URLs. */
  readonly httpProxy?: string | undefined;
  /** Hosts that are reached without a proxy, as in `NO_PROXY`. */
  readonly noProxy?: string | undefined;
}

/**
 * Reads `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`; lower-case names win, as with curl. A CGI program ignores
 * `HTTP_PROXY`, because a request's `Proxy` header would set it (CVE-2016-5385, "httpoxy").
 * @throws `DESCRIBE_CONFIG_INVALID` that lists every variable that is not an http or https URL.
 */
export function readProxyEnvironment(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): ProxySettings {
  const issues: ConfigIssue[] = [];
  const read = (...names: readonly string[]) => {
    for (const name of names) {
      const value = environment[name]?.trim();
      if (value === undefined || value === '') continue;
      // A host and a port alone, which curl and most other programs accept.
      const url = /^[^/]+:\d+\/?$/.test(value) ? `http://${value}` : value;
      if (isProxyUrl(url)) return url;
      issues.push({ option: name, expected: 'an http or https URL', got: 'a value (not shown)' });
      return undefined;
    }
    return undefined;
  };
  const inCgi = environment['REQUEST_METHOD'] !== undefined;
  const settings: ProxySettings = {
    httpsProxy: read('https_proxy', 'HTTPS_PROXY'),
    httpProxy: inCgi ? read('http_proxy') : read('http_proxy', 'HTTP_PROXY'),
    noProxy: environment['no_proxy'] || environment['NO_PROXY'] || undefined,
  };
  if (issues.length > 0) throw new ConfigError('environment', issues);
  return settings;
}

const isProxyUrl = (value: string) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);

/** How a proxy is reached. */
export interface ProxyAddress {
  readonly url: URL;
  readonly host: string;
  readonly port: number;
  /** The headers that the proxy needs, such as its credentials. */
  readonly headers: Readonly<Record<string, string>>;
}

export function proxyAddress(proxy: string): ProxyAddress {
  const url = new URL(proxy);
  const { protocol, username, password } = url;
  const credentials = Buffer.from(`${decoded(username)}:${decoded(password)}`).toString('base64');
  return {
    url,
    host: hostOf(url),
    port: Number(url.port || (protocol === 'https:' ? 443 : 80)),
    headers: username + password === '' ? {} : { 'proxy-authorization': `Basic ${credentials}` },
  };
}

/** A password may contain a percent sign that encodes nothing. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The proxy for a URL; undefined where the URL is to be reached directly. */
export function proxyFor(url: string, { httpsProxy, httpProxy, noProxy }: ProxySettings): string | undefined {
  const target = new URL(url);
  const proxy = target.protocol === 'https:' ? httpsProxy : httpProxy;
  if (proxy === undefined || noProxy === undefined) return proxy;
  const host = hostOf(target);
  const port = target.port || (target.protocol === 'https:' ? '443' : '80');
  return noProxy.split(/[\s,]+/).some((entry) => matches(entry, host, port)) ? undefined : proxy;
}

/** Matches `*`, a domain with everything below it, an address or a range. All but ranges may have a port. */
function matches(entry: string, host: string, port: string): boolean {
  if (entry === '') return false;
  if (entry === '*') return true;
  const address = parseAddress(host);
  const range = parseRange(entry);
  if (range !== undefined) return address !== undefined && inRange(address, range);
  const [, name = '', wantedPort] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
  if (wantedPort !== undefined && wantedPort !== port) return false;
  const domain = name
    .toLowerCase()
    .replace(/^\*?\./, '')
    .replace(/\.$/, '')
    .replace(/^\[(.*)\]$/, '$1');
  return host === domain || (address === undefined && domain !== '' && host.endsWith(`.${domain}`));
}

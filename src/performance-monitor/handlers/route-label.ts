/** The parts of a request of Node, Express or Connect that make its label. */
export interface RoutedRequest {
  readonly url?: string | undefined;
  readonly originalUrl?: string;
  readonly baseUrl?: string;
  readonly route?: unknown;
}

const MAX_SEGMENTS = 6;
const MAX_SEGMENT_LENGTH = 40;

/**
 * Words that a programmer writes: `describe`, `getUser`, `API`, `v1`, `oauth2`. Other parts of a path are not shown.
 */
const WORD = /^(?:[a-z]{1,20}|[A-Z]{1,8}|[A-Z]?[a-z]{2,}(?:[A-Z][a-z]{2,})*)\d{0,2}$/;
const MAX_WORD_LENGTH = 22;

/** Beginnings of keys of well-known services. */
const KEY = /^(?:sk|pk|rk|ghp|xox[a-z])[-_]/i;

/** The pattern of the route that the framework found; `undefined` where there is none. Works with Express 4 and 5. */
export function routePattern({ route, baseUrl = '' }: RoutedRequest): string | undefined {
  if (typeof route !== 'object' || route === null || !('path' in route)) return undefined;
  const { path } = route;
  const pattern = Array.isArray(path) ? path.join('|') : String(path);
  // `baseUrl` is the path as requested, with its ids.
  return `${baseUrl === '' ? '' : pathLabel(baseUrl)}${pattern}`;
}

/** A path whose ids, names and tokens are replaced, so that it has few values and reveals nobody. */
export function pathLabel(url: string): string {
  const [path = '/'] = url.split(/[?#]/, 1);
  const segments = path.split('/').filter((segment) => segment !== '');
  const shown = segments.slice(0, MAX_SEGMENTS).map((segment) => (isName(segment) ? segment : ':id'));
  return `/${shown.join('/')}${segments.length > MAX_SEGMENTS ? '/…' : ''}`;
}

const isName = (segment: string): boolean =>
  segment.length <= MAX_SEGMENT_LENGTH &&
  !KEY.test(segment) &&
  segment
    .replace(/^[._]/, '')
    .split(/[-._]/)
    .every((word) => word.length <= MAX_WORD_LENGTH && WORD.test(word));

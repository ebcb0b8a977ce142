/** What the label is made from: the request of Node, Express or Connect. */
export interface RoutedRequest {
  readonly url?: string | undefined;
  readonly originalUrl?: string;
  readonly baseUrl?: string;
  readonly route?: unknown;
}

/** Segments that are surely ids: numbers, UUIDs, and long runs of hexadecimal digits or of mixed characters. */
const ID_SEGMENT = /^(?:\d+|[\da-f]{8}-[\da-f-]{27}|[\da-f]{16,}|(?=[^\d]*\d)[\w~%.-]{20,})$/i;
const MAX_SEGMENTS = 6;

/** The route's own pattern (Express), else the path with its ids replaced, so that a label has few values. */
export function routeLabel({ route, baseUrl = '', originalUrl, url = '/' }: RoutedRequest): string {
  if (typeof route === 'object' && route !== null && 'path' in route && typeof route.path === 'string') {
    return `${baseUrl}${route.path}`;
  }
  const [path = '/'] = (originalUrl ?? url).split(/[?#]/, 1);
  const segments = path.split('/').filter((segment) => segment !== '');
  const shown = segments
    .slice(0, MAX_SEGMENTS)
    .map((segment) => (ID_SEGMENT.test(segment) ? ':id' : segment));
  return `/${shown.join('/')}${segments.length > MAX_SEGMENTS ? '/…' : ''}`;
}

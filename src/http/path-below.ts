import { InputError } from '../errors/index.ts';
import { describeKind } from '../internal/options/option-checks.ts';

/** Query parameters by name; `undefined` adds none. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>> | URLSearchParams;

/**
 * Joins path and query of a request to a base URL, whose path ends in a slash. The path is relative to the base, with
 * or without a leading slash, or is a whole URL below it. Queries add up, those of the base URL first.
 * @throws `DESCRIBE_INPUT_INVALID` for a path that is no URL or leaves the base URL, in any spelling of `..`. Also for
 * a query whose values are not text, numbers or booleans.
 */
export function pathBelow(base: URL, path: string, query: Query = {}): string {
  if (typeof path !== 'string' && !ABSOLUTE.test(path))
    throw new InputError('path', `must be a string; got ${describeKind(path)}`);
  const text = ABSOLUTE.test(path) ? path : `${base.origin}${base.pathname}${path.replace(/^\/+/, '')}`;
  if (!URL.canParse(text))
    throw new InputError('path', "must be a path or URL below the base URL; got one that can't be parsed");
  const url = new URL(text);
  if (url.origin !== base.origin)
    throw new InputError('path', `must lie below ${base.origin}; got a URL of another origin`);
  if (!url.pathname.startsWith(base.pathname) || climbs(url.pathname)) {
    throw new InputError('path', 'must stay below the path of the base URL; got one that leaves it');
  }
  if (url.username + url.password !== '')
    throw new InputError('path', 'must have no user or password; got a URL with them. Pass an `authorization` header.');
  const added = query instanceof URLSearchParams ? query : paramsOf(query);
  const queries = [base.search.slice(1), url.search.slice(1), added.toString()].filter((part) => part !== '');
  return url.pathname + (queries.length === 0 ? '' : `?${queries.join('&')}`);
}

function paramsOf(query: Exclude<Query, URLSearchParams>): URLSearchParams {
  const params = new URLSearchParams();
  if (typeof query !== 'object')
    throw new InputError('query', `must be an object or URLSearchParams; got ${describeKind(query)}`);
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    if (typeof value === 'object')
      throw new InputError('query', `must hold strings, numbers or booleans; got ${describeKind(value)}`);
    params.append(name, String(value));
  }
  return params;
}

const ABSOLUTE = /^[a-z][a-z0-9+.-]*:\/\//i;

/** Whether a server that decodes a path once more would find a `..` in it. */
function climbs(pathname: string): boolean {
  const decoded = pathname.replace(/%2e/gi, '.').replace(/%2f|%5c|\\/gi, '/');
  return decoded.split('/').includes('..');
}

import { answerNow } from '../../internal/async/user-callback.ts';
import { pathLabel, type RoutedRequest, routePattern } from './route-label.ts';

/** Label values for routes beyond the bound, and for paths that nothing serves. */
const OTHER = 'other';
const UNMATCHED = 'unmatched';

/**
 * A bounded number of route labels. Patterns of the app have a separate bound, so that paths from strangers can't
 * displace them. A path is a label only if the app served something there.
 */
export class RouteLabels {
  readonly #maxRoutes: number;
  readonly #custom: ((request: RoutedRequest) => string) | undefined;
  readonly #patterns = new Set<string>();
  /** Method, path and status: each combination is a series, and a monitor bounds its series. */
  readonly #paths = new Set<string>();

  constructor(maxRoutes: number, custom?: (request: RoutedRequest) => string) {
    this.#maxRoutes = maxRoutes;
    this.#custom = custom;
  }

  of(request: RoutedRequest, method: string, status: number): string {
    const pattern = routePattern(request);
    if (pattern === undefined && !isServed(status)) return UNMATCHED;
    const label = this.#custom === undefined ? pattern : answerNow(this.#custom, request, OTHER);
    if (label !== undefined) return this.#bounded(this.#patterns, label, label);
    const path = pathLabel(request.originalUrl ?? request.url ?? '/');
    return this.#bounded(this.#paths, `${method} ${path} ${status}`, path);
  }

  #bounded(known: Set<string>, key: string, label: string): string {
    if (!known.has(key)) {
      if (known.size >= this.#maxRoutes) return OTHER;
      known.add(key);
    }
    return label;
  }
}

/** A failing app counts as serving. A refused or redirected request may have any path that a stranger made up. */
const isServed = (status: number): boolean => status < 300 || status === 304 || status >= 500;

import type { RedisLink } from './redis/redis-link.ts';

/** The link of a cache to its Redis, for other users of the same connection. */
export interface CacheLink {
  readonly keyPrefix: string;
  /** Undefined where nothing named Redis, or the driver is missing. */
  readonly link: () => RedisLink | undefined;
}

const links = new WeakMap<object, CacheLink>();

export function shareLink(cache: object, link: CacheLink): void {
  links.set(cache, link);
}

export const linkOf = (cache: object): CacheLink | undefined => links.get(cache);

import { isKeyLike } from './server-reason.ts';

/**
 * A word of a server, such as the id of a request, that may stand in errors and logs: at most 128 letters, digits and
 * `_ . : -`, and no key. Anything else could repeat the request, and is undefined.
 */
export function shortTokenOf(value: unknown, keys: readonly string[] = []): string | undefined {
  if (typeof value !== 'string' || !/^[A-Za-z0-9][\w.:-]{0,127}$/.test(value) || isKeyLike(value)) return undefined;
  return keys.some((key) => key.length >= 4 && value.includes(key)) ? undefined : value;
}

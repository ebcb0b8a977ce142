import type { RequestSecrets } from './server-reason.ts';

/** Objects within objects that are looked into: a message has parts, and a part has an address. */
const MAX_DEPTH = 8;
/** Strings that are collected: a request has few of its own, and one image each. */
const MAX_STRINGS = 1000;

/** Names under which a request holds an address, in the form of either API. */
const ADDRESS_NAMES: ReadonlySet<string> = new Set(['url', 'image_url', 'file_url']);
/** Names under which it holds what its sender wrote. */
const TEXT_NAMES: ReadonlySet<string> = new Set(['text', 'content', 'input', 'instructions', 'refusal']);

/**
 * The texts and addresses that a request to the API holds, for its reason to be cleaned of them. Looks only where the
 * caller's own words stand. To be called when a request has failed.
 */
export function requestSecrets(request: object, keys: readonly (string | null | undefined)[] = []): RequestSecrets {
  const texts = new Set<string>();
  const addresses = new Set<string>();
  const look = (value: unknown, name: string, depth: number): void => {
    if (texts.size + addresses.size >= MAX_STRINGS || depth === 0) return;
    if (typeof value === 'string') {
      if (ADDRESS_NAMES.has(name)) addresses.add(value);
      else if (TEXT_NAMES.has(name)) texts.add(value);
    } else if (Array.isArray(value)) {
      for (const entry of value) look(entry, name, depth - 1);
    } else if (isPlain(value)) {
      for (const [key, entry] of Object.entries(value)) look(entry, key, depth - 1);
    }
  };
  const { messages, input, instructions } = request as Readonly<Record<string, unknown>>;
  look({ messages, input, instructions }, '', MAX_DEPTH);
  return {
    keys: keys.filter((key) => typeof key === 'string'),
    texts: [...texts],
    addresses: [...addresses],
  };
}

/** Bytes that stand in the place of an address are no text. */
function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

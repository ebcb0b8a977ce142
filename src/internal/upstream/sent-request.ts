/** The parts of a request that no error may contain. */
export interface RequestSecrets {
  /** API keys and tokens. */
  readonly keys?: readonly string[] | undefined;
  /** Prompts and other texts of the caller's. */
  readonly texts?: readonly string[] | undefined;
  /** Addresses of images. */
  readonly addresses?: readonly string[] | undefined;
}

/** The facts of a request that its failure is judged by. */
export interface SentRequest {
  /** Whether an image was sent as its address; undefined where that is not known. */
  readonly hasImageUrl?: boolean | undefined;
  /** The secrets that the API's reason is cleaned of. Called only for a reason. Without it no reason is shown. */
  readonly secrets?: (() => RequestSecrets) | undefined;
}

/** Tells whether a chat request contains an image as its address, which the server has to load itself. */
export function hasImageUrl(messages: readonly unknown[]): boolean {
  return messages.some((message) => {
    const { content } = (message ?? {}) as { readonly content?: unknown };
    return Array.isArray(content) && content.some((part) => isAddress(part?.image_url?.url));
  });
}

/** Tells whether a value is an http or https address. A data URL is none: it holds the image itself. */
export const isAddress = (url: unknown): boolean =>
  url instanceof URL ? isAddress(url.href) : typeof url === 'string' && /^https?:/i.test(url);

/** Depth to which a request is searched: a message has parts, and a part has an address. */
const MAX_DEPTH = 8;
/** Most strings that are collected: a request has few of its own, and one for each image. */
const MAX_STRINGS = 1000;

/** Names of the fields that hold an address, in the form of either API. */
const ADDRESS_NAMES: ReadonlySet<string> = new Set(['url', 'image_url', 'file_url']);
/** Names of the fields that hold text of the sender. */
const TEXT_NAMES: ReadonlySet<string> = new Set(['text', 'content', 'input', 'instructions', 'refusal']);

/**
 * Collects the texts and addresses of a request to the API, so that its reason can be cleaned of them. Searches only
 * the fields that hold the caller's own words. Meant to be called after a failure.
 */
export function requestSecrets(request: object, keys: readonly (string | null | undefined)[] = []): RequestSecrets {
  const texts = new Set<string>();
  const addresses = new Set<string>();
  const search = (value: unknown, name: string, depth: number): void => {
    if (texts.size + addresses.size >= MAX_STRINGS || depth === 0) return;
    if (typeof value === 'string') {
      if (ADDRESS_NAMES.has(name)) addresses.add(value);
      else if (TEXT_NAMES.has(name)) texts.add(value);
    } else if (Array.isArray(value)) {
      for (const entry of value) search(entry, name, depth - 1);
    } else if (isPlain(value)) {
      for (const [key, entry] of Object.entries(value)) search(entry, key, depth - 1);
    }
  };
  const { messages, input, instructions } = request as Readonly<Record<string, unknown>>;
  search({ messages, input, instructions }, '', MAX_DEPTH);
  return { keys: keys.filter((key) => typeof key === 'string'), texts: [...texts], addresses: [...addresses] };
}

/** Bytes in the place of an address are not searched. */
function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/** The kind of a value in the place of an image, and what to pass instead. It never contains the value itself. */
export interface ImageValue {
  /** Its kind, such as `a file path`. */
  readonly kind: string;
  readonly advice: string;
}

/** Number of characters by which a text is recognised. A longer one is never read whole. */
const HEAD_CHARS = 256;
/** Base64 as short as this can be a word or a name as well. */
const LEAST_BASE64_CHARS = 64;

const PATH: ImageValue = { kind: 'a file path', advice: 'Pass `{ file }` for a file.' };
const BASE64: ImageValue = {
  kind: 'base64',
  advice: 'Write `data:image/png;base64,` before it, or pass the bytes as `{ image }`.',
};
const NO_SCHEME: ImageValue = {
  kind: 'an address without a scheme',
  advice: 'Write https:// before it; for a file pass `{ file }`.',
};

/** In this order, because a JPEG in base64 begins with a slash, as a path does. */
const TEXTS: readonly (readonly [RegExp, ImageValue])[] = [
  [/^\s*$/, { kind: 'an empty text', advice: 'Check the variable that holds it.' }],
  [
    /^(?:undefined|null|NaN|\[object \w+\])$/,
    { kind: 'a missing value as text', advice: 'Check the variable that it was made of.' },
  ],
  [/^\s*data:/i, { kind: 'a data URL', advice: 'Pass `{ imageUrl }` for a data URL.' }],
  [/^\s*https?:/i, { kind: 'a web address', advice: 'Pass `{ imageUrl }` for an address.' }],
  [
    /^[\w.+-]{1,40}\/[\w.+-]{1,40};\s*base64,/,
    { kind: 'a data URL without `data:`', advice: 'Write `data:` before it.' },
  ],
  [/^(?:iVBORw0KGg|\/9j\/|R0lGOD|UklGR)/, BASE64],
  [
    // biome-ignore lint/suspicious/noControlCharactersInRegex: bytes that were read as text
    /^(?:.?PNG\r?\n|\xff\xd8|\ufffd{2}|GIF8[79]a|RIFF)|[\x00-\x08]/,
    { kind: 'bytes as text', advice: 'Read them without an encoding, and pass `{ image }`.' },
  ],
  [/^file:/i, { kind: 'a file: URL', advice: 'Pass `{ file }` with its path, or a `URL` object.' }],
  [/^(?:[a-z]:)?[\\/]{1,2}[^\\/]|^~?\.{0,2}[\\/]/i, PATH],
];

const SCHEME = /^([a-z][a-z0-9+.-]{1,20}):(?!\d)/i;
/** Object stores and file servers, which the API cannot read. */
const STORES: ReadonlySet<string> = new Set(
  's3 s3a s3n gs gcs az azure abfs abfss wasb wasbs oss cos r2 ftp ftps sftp'.split(' '),
);
const OTHER_SCHEMES: ReadonlySet<string> = new Set('ws wss ipfs content javascript about'.split(' '));
const HOST = /^[\w-]+(?:\.[\w-]+)+(?::\d+)?(?:[/?#]|$)|^localhost(?::\d+)?(?:[/?#]|$)|^[\w-]+:\d+/i;
const FILE_NAME = /\.(?:png|jpe?g|gif|webp|bmp|tiff?|heic|avif|svg)$/i;

/** Recognises a text by its beginning and end, in time that does not grow with its length. */
export function imageTextOf(text: string): ImageValue {
  const head = text.slice(0, HEAD_CHARS);
  if (/^\/\/[\w-]+\./.test(head)) return NO_SCHEME;
  const known = TEXTS.find(([pattern]) => pattern.test(head));
  if (known !== undefined) return known[1];
  const scheme = SCHEME.exec(head)?.[1]?.toLowerCase();
  if (scheme !== undefined) return schemeOf(scheme);
  if (text.length >= LEAST_BASE64_CHARS && /^[\w+/\r\n-]+={0,2}\s*$/.test(head)) return BASE64;
  const isFileName = !/[\n?#]/.test(head) && FILE_NAME.test(text.slice(-8));
  if (isFileName && !/^[^/]*[.:][^/]*\//.test(head)) return PATH;
  return HOST.test(head) ? NO_SCHEME : OTHER_TEXT;
}

const OTHER_TEXT: ImageValue = {
  kind: 'other text',
  advice: 'Pass `{ file }` for a file, `{ image }` for bytes.',
};

/** Only a known scheme is named: the text before a colon may be anything. */
function schemeOf(scheme: string): ImageValue {
  const kind = `a URL with the scheme ${scheme}:`;
  if (STORES.has(scheme)) return { kind, advice: 'Sign it as an https URL, or pass the bytes as `{ image }`.' };
  if (scheme === 'blob') return { kind, advice: 'Pass the `Blob` itself: no other process can read its URL.' };
  return {
    kind: OTHER_SCHEMES.has(scheme) ? kind : 'a URL with another scheme',
    advice: 'Pass an https URL, or the bytes as `{ image }`.',
  };
}

/** A description is of one image. */
export const ONE_IMAGE_A_CALL =
  'Pass one image a call, or all of them to `describeMany`; for one text about several, join them into one picture.';

/** Recognises any value that is no address; a text by `imageTextOf`. */
export function imageValueOf(value: unknown): ImageValue {
  if (typeof value === 'string') return imageTextOf(value);
  if (value === undefined || value === null) {
    return { kind: String(value), advice: 'Check the variable that holds it.' };
  }
  if (typeof value !== 'object') {
    return { kind: `a ${typeof value}`, advice: 'Pass an https URL, `{ file }` or `{ image }`.' };
  }
  const known = imageObjectOf(value);
  if (known !== undefined) return known;
  if ('url' in value) return { kind: 'an object with `url`', advice: 'Pass the address itself.' };
  return { kind: 'an object', advice: 'Pass an https URL, `{ file }` or `{ image }`.' };
}

/**
 * Recognises an object that is an image in another form, or several images. Undefined for any other, such as a request.
 */
export function imageObjectOf(value: object): ImageValue | undefined {
  if (Array.isArray(value)) return { kind: 'an array', advice: ONE_IMAGE_A_CALL };
  if (value instanceof URL) return imageTextOf(value.href);
  if (isBytesLike(value)) return { kind: 'bytes', advice: 'Pass `{ image }` for bytes.' };
  if (Symbol.iterator in value) return { kind: 'several values', advice: ONE_IMAGE_A_CALL };
  if (has(value, 'then')) return { kind: 'a promise', advice: 'Await it first.' };
  if (has(value, 'getReader') || Symbol.asyncIterator in value) {
    return { kind: 'a stream', advice: 'Pass `{ image }` for a stream.' };
  }
  return undefined;
}

const has = (value: object, method: string): boolean =>
  typeof (value as Readonly<Record<string, unknown>>)[method] === 'function';

const isBytesLike = (value: object): boolean =>
  ArrayBuffer.isView(value) ||
  /^\[object (?:Shared)?ArrayBuffer\]$/.test(Object.prototype.toString.call(value)) ||
  ('size' in value && has(value, 'stream'));

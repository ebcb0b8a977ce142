import { callOptions, NO_OPTIONS } from './options/own-options.ts';

/** A signature's parameters: where every one of its marks is there, all of `strip` goes. */
interface SignatureScheme {
  /** Matched against `name=value`, decoded. */
  readonly marks: readonly RegExp[];
  /** Matched against names. */
  readonly strip: RegExp;
  /** Needed where the marks are too plain to mean one vendor. */
  readonly path?: RegExp | undefined;
  readonly host?: RegExp | undefined;
}

const IMAGE_PATH = /\.(?:avif|bmp|gif|heic|jfif|jpe?g|png|tiff?|webp)$/i;

/**
 * Signed-URL schemes by vendor. A group is stripped only where its own mark is there: `sp` or `se` alone mean nothing.
 */
const VENDORS: readonly SignatureScheme[] = [
  // AWS Signature 4 and everything that speaks it (S3, R2, MinIO, Spaces).
  { marks: [/^x-amz-(?:signature|algorithm|credential)=/i], strip: /^x-amz-/i },
  { marks: [/^awsaccesskeyid=/i], strip: /^(?:awsaccesskeyid|signature|expires|x-amz-.*)$/i },
  { marks: [/^x-goog-(?:signature|algorithm|credential)=/i], strip: /^x-goog-/i },
  { marks: [/^googleaccessid=/i], strip: /^(?:googleaccessid|signature|expires)$/i },
  // Azure shared access signature: `sig` over the rest, with a version that is a date and an expiry, or a policy that
  // has one.
  {
    marks: [/^sig=/i, /^sv=\d{4}/i, /^s[ei]=/i],
    strip: /^(?:s[vrtepiks]|srt|spr|sig|sip|sdd|skoid|sktid|skt|ske|sks|skv|saoid|suoid|scid|ses)$/i,
  },
  { marks: [/^key-pair-id=/i], strip: /^(?:key-pair-id|signature|policy|expires|hash-algorithm)$/i },
  { marks: [/^ossaccesskeyid=/i], strip: /^(?:ossaccesskeyid|signature|expires|security-token)$/i },
  { marks: [/^x-oss-signature=/i], strip: /^x-oss-(?:signature.*|credential|date|expires|security-token)$/i },
  { marks: [/^q-signature=/i], strip: /^(?:q-.*|x-cos-security-token)$/i },
  { marks: [/^hdnt[sl]=/i], strip: /^hdnt[sl]$/i },
  // imgix marks by a bare `s`, which others use for a size or a search.
  { marks: [/^s=[0-9a-f]{32}$/], strip: /^(?:s|expires)$/, path: IMAGE_PATH },
  // CDNs whose signatures have names too short to strip elsewhere.
  { marks: [], strip: /^(?:ex|is|hm)$/, host: /(?:^|\.)discordapp\.(?:com|net)$/ },
  {
    marks: [],
    strip: /^(?:oh|oe|_nc_ohc|_nc_gid|_nc_oc|_nc_zt|ccb)$/,
    host: /(?:^|\.)(?:fbcdn\.net|cdninstagram\.com)$/,
  },
  { marks: [], strip: /^token$/, host: /^firebasestorage\.googleapis\.com$/ },
];

/** The same with every name their own, whatever someone puts on the prototype of all objects. */
const SCHEMES: readonly SignatureScheme[] = VENDORS.map((vendor) => ({
  path: undefined,
  host: undefined,
  ...vendor,
}));

/** Not among them: `access_token`, `auth` or `jwt`, which name a person, whose images are not another's. */
const GENERIC_SIGNATURE = /^(?:token|sig|sign|signature|hmac)$/i;
/** Signatures beside an expiry only: alone, a hash names the version of an image. */
const SIGNATURE_BESIDE_EXPIRY = /^(?:token|sig|sign|signature|hmac|hash|md5|digest|verify|policy)$/i;
/** A timestamp is none: it may be the time of the picture. */
const GENERIC_EXPIRY = /^(?:exp|expires|expires_at|expires_in|expiry|expiration|valid_until|ttl)$/i;

export interface CanonicalUrlOptions {
  /** More query parameters to drop, such as a tracking parameter of your own. @defaultValue none */
  readonly ignoreParameters?: readonly string[] | undefined;
}

/** A query parameter as it is written, and what its name and value mean. */
interface Parameter {
  readonly raw: string;
  readonly name: string;
  /** `name=value`, decoded. */
  readonly text: string;
}

/**
 * The same text for every signed URL of one image: no fragment, no signature or expiry, parameters in order of their
 * names. What is kept stays as it is written: servers read `%E4`, `+` and `?f=` in ways of their own.
 *
 * Vendors' schemes (AWS, Google, Azure, CloudFront, Alibaba, Tencent, Akamai, imgix) are known by their own marks.
 * Generic names such as `token` are dropped only where the path itself names an image file, or where an expiry stands
 * beside them and something that names the image stays: in `/render?token=…` the token may be what tells two images
 * apart.
 */
export function canonicalUrl(value: string | URL, options: CanonicalUrlOptions = NO_OPTIONS): string {
  const { ignoreParameters = [] } = callOptions(options);
  const url = new URL(value);
  url.username = '';
  url.password = '';
  url.hash = '';
  const all = url.search.slice(1).split('&').filter(Boolean).map(parameterOf);
  const ignored = new Set(ignoreParameters);
  const schemes = SCHEMES.filter((scheme) => applies(scheme, url, all));
  const named = all.filter(({ name }) => !ignored.has(name) && !schemes.some(({ strip }) => strip.test(name)));
  const kept = withoutGeneric(named, IMAGE_PATH.test(url.pathname));
  // Stable, for the order of parameters of one name may mean something.
  kept.sort((left, right) => (left.name < right.name ? -1 : left.name > right.name ? 1 : 0));
  url.search = kept.map(({ raw }) => raw).join('&');
  return url.href;
}

function applies({ marks, host, path }: SignatureScheme, url: URL, all: readonly Parameter[]): boolean {
  if (host !== undefined && !host.test(url.hostname)) return false;
  if (path !== undefined && !path.test(url.pathname)) return false;
  return marks.every((mark) => all.some(({ text }) => mark.test(text)));
}

function withoutGeneric(all: readonly Parameter[], isImagePath: boolean): Parameter[] {
  const has = (pattern: RegExp) => all.some(({ name }) => pattern.test(name));
  if (has(GENERIC_EXPIRY) && has(SIGNATURE_BESIDE_EXPIRY)) {
    const kept = all.filter(({ name }) => !GENERIC_EXPIRY.test(name) && !SIGNATURE_BESIDE_EXPIRY.test(name));
    return isImagePath || kept.length > 0 ? kept : [...all];
  }
  return isImagePath && !has(GENERIC_EXPIRY) ? all.filter(({ name }) => !GENERIC_SIGNATURE.test(name)) : [...all];
}

function parameterOf(raw: string): Parameter {
  const text = decoded(raw);
  const equals = raw.indexOf('=');
  return { raw, text, name: equals === -1 ? text : decoded(raw.slice(0, equals)) };
}

function decoded(text: string): string {
  const spaced = text.replaceAll('+', ' ');
  if (!spaced.includes('%')) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    // Of another encoding than UTF-8: as it is written.
    return text;
  }
}

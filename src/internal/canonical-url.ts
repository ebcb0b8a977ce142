import { callOptions, NO_OPTIONS } from './options/own-options.ts';

/** How a vendor signs URLs. Where a URL has all `marks`, its parameters with the names in `strip` are removed. */
interface SignatureScheme {
  /** Matched against `name=value`, decoded. */
  readonly marks: readonly RegExp[];
  /** Matched against names. */
  readonly strip: RegExp;
  /** Restricts a scheme whose marks are too common for one vendor. */
  readonly path?: RegExp | undefined;
  readonly host?: RegExp | undefined;
}

const IMAGE_PATH = /\.(?:avif|bmp|gif|heic|jfif|jpe?g|png|tiff?|webp)$/i;

/** Signed-URL schemes by vendor. The marks are needed, because names such as `sp` or `se` alone mean nothing. */
const VENDORS: readonly SignatureScheme[] = [
  // AWS Signature 4, also of S3, R2, MinIO and Spaces.
  { marks: [/^x-amz-(?:signature|algorithm|credential)=/i], strip: /^x-amz-/i },
  { marks: [/^awsaccesskeyid=/i], strip: /^(?:awsaccesskeyid|signature|expires|x-amz-.*)$/i },
  { marks: [/^x-goog-(?:signature|algorithm|credential)=/i], strip: /^x-goog-/i },
  { marks: [/^googleaccessid=/i], strip: /^(?:googleaccessid|signature|expires)$/i },
  // Azure shared access signature: `sig`, with a version that is a date, and an expiry or a policy that has one.
  {
    marks: [/^sig=/i, /^sv=\d{4}/i, /^s[ei]=/i],
    strip: /^(?:s[vrtepiks]|srt|spr|sig|sip|sdd|skoid|sktid|skt|ske|sks|skv|saoid|suoid|scid|ses)$/i,
  },
  { marks: [/^key-pair-id=/i], strip: /^(?:key-pair-id|signature|policy|expires|hash-algorithm)$/i },
  { marks: [/^ossaccesskeyid=/i], strip: /^(?:ossaccesskeyid|signature|expires|security-token)$/i },
  { marks: [/^x-oss-signature=/i], strip: /^x-oss-(?:signature.*|credential|date|expires|security-token)$/i },
  { marks: [/^q-signature=/i], strip: /^(?:q-.*|x-cos-security-token)$/i },
  { marks: [/^hdnt[sl]=/i], strip: /^hdnt[sl]$/i },
  // imgix signs with a bare `s`, which other servers use for a size or a search.
  { marks: [/^s=[0-9a-f]{32}$/], strip: /^(?:s|expires)$/, path: IMAGE_PATH },
  // Signatures of CDNs with names that are too short to remove elsewhere.
  { marks: [], strip: /^(?:ex|is|hm)$/, host: /(?:^|\.)discordapp\.(?:com|net)$/ },
  {
    marks: [],
    strip: /^(?:oh|oe|_nc_ohc|_nc_gid|_nc_oc|_nc_zt|ccb)$/,
    host: /(?:^|\.)(?:fbcdn\.net|cdninstagram\.com)$/,
  },
  { marks: [], strip: /^token$/, host: /^firebasestorage\.googleapis\.com$/ },
];

/** All schemes have `path` and `host` of their own, so that none is read from the prototype of all objects. */
const SCHEMES: readonly SignatureScheme[] = VENDORS.map((vendor) => ({
  path: undefined,
  host: undefined,
  ...vendor,
}));

/** Without `access_token`, `auth` and `jwt`: these name a person, and two people may get different images. */
const GENERIC_SIGNATURE = /^(?:token|sig|sign|signature|hmac)$/i;
/** Names that mean a signature only beside an expiry: alone, a hash names the version of an image. */
const SIGNATURE_BESIDE_EXPIRY = /^(?:token|sig|sign|signature|hmac|hash|md5|digest|verify|policy)$/i;
/** Without `timestamp`: it may be the time of the picture. */
const GENERIC_EXPIRY = /^(?:exp|expires|expires_at|expires_in|expiry|expiration|valid_until|ttl)$/i;

export interface CanonicalUrlOptions {
  /** More query parameters to drop, such as a tracking parameter of your own. @defaultValue none */
  readonly ignoreParameters?: readonly string[] | undefined;
}

/** A query parameter, raw and decoded. */
interface Parameter {
  readonly raw: string;
  readonly name: string;
  /** `name=value`, decoded. */
  readonly text: string;
}

/**
 * Gives one text for all signed URLs of an image: without fragment, signature and expiry, and with sorted parameters.
 * The other parameters stay as they are written: servers differ in how they read `%E4`, `+` and `?f=`.
 *
 * Schemes of vendors (AWS, Google, Azure, CloudFront, Alibaba, Tencent, Akamai, imgix) are recognised by their marks.
 * Generic names such as `token` are removed where the path names an image file. They are also removed beside an expiry,
 * if another parameter still names the image. In `/render?token=…` the token may be the image's only name.
 */
export function canonicalUrl(value: string | URL, options: CanonicalUrlOptions = NO_OPTIONS): string {
  const { ignoreParameters = [] } = callOptions(options);
  const url = new URL(value);
  if (url.username !== '') url.username = '';
  if (url.password !== '') url.password = '';
  // Each setter parses the URL again, and most URLs of images have neither fragment nor query.
  if (url.href.includes('#')) url.hash = '';
  if (!url.href.includes('?')) return url.href;
  const all = url.search.slice(1).split('&').filter(Boolean).map(parameterOf);
  const ignored = new Set(ignoreParameters);
  const schemes = SCHEMES.filter((scheme) => applies(scheme, url, all));
  const named = all.filter(({ name }) => !ignored.has(name) && !schemes.some(({ strip }) => strip.test(name)));
  const kept = withoutGeneric(named, IMAGE_PATH.test(url.pathname));
  // A stable sort: the order of parameters of one name may matter.
  kept.sort((left, right) => (left.name < right.name ? -1 : left.name > right.name ? 1 : 0));
  // The setter drops a question mark that a name begins with, unless it has its own.
  url.search = kept.length === 0 ? '' : `?${kept.map(({ raw }) => raw).join('&')}`;
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
    // The encoding is not UTF-8.
    return text;
  }
}

/** A signature's parameters: where every one of its marks is there, all of `strip` goes. */
interface SignatureScheme {
  readonly marks: readonly RegExp[];
  readonly strip: RegExp;
}

/** Signed-URL schemes by vendor. A group is stripped only where its own mark is there: `sp` or `se` alone mean nothing. */
const SCHEMES: readonly SignatureScheme[] = [
  // AWS Signature 4 and everything that speaks it (S3, R2, MinIO, Spaces).
  { marks: [/^x-amz-(?:signature|algorithm|credential)$/i], strip: /^x-amz-/i },
  { marks: [/^awsaccesskeyid$/i], strip: /^(?:awsaccesskeyid|signature|expires|x-amz-.*)$/i },
  { marks: [/^x-goog-(?:signature|algorithm|credential)$/i], strip: /^x-goog-/i },
  { marks: [/^googleaccessid$/i], strip: /^(?:googleaccessid|signature|expires)$/i },
  // Azure shared access signature: `sig` over the rest, of which the version is never missing.
  {
    marks: [/^sig$/i, /^sv$/i],
    strip: /^(?:s[vrtepiks]|srt|spr|sig|sip|sdd|skoid|sktid|skt|ske|sks|skv|saoid|suoid|scid|ses)$/i,
  },
  { marks: [/^key-pair-id$/i], strip: /^(?:key-pair-id|signature|policy|expires|hash-algorithm)$/i },
  { marks: [/^ossaccesskeyid$/i], strip: /^(?:ossaccesskeyid|signature|expires|security-token)$/i },
  { marks: [/^x-oss-signature$/i], strip: /^x-oss-(?:signature.*|credential|date|expires|security-token)$/i },
  { marks: [/^q-signature$/i], strip: /^(?:q-.*|x-cos-security-token)$/i },
  { marks: [/^hdnt[sl]$/i], strip: /^hdnt[sl]$/i },
];

/** CDNs whose signatures have names too short to strip elsewhere. */
const HOST_SCHEMES: readonly { readonly host: RegExp; readonly strip: RegExp }[] = [
  { host: /(?:^|\.)discordapp\.(?:com|net)$/, strip: /^(?:ex|is|hm)$/ },
  {
    host: /(?:^|\.)(?:fbcdn\.net|cdninstagram\.com)$/,
    strip: /^(?:oh|oe|_nc_ohc|_nc_gid|_nc_oc|_nc_zt|ccb)$/,
  },
  { host: /^firebasestorage\.googleapis\.com$/, strip: /^token$/ },
];

const GENERIC_SIGNATURE =
  /^(?:token|access_token|auth|auth_token|authorization|sig|sign|signature|hmac|jwt|key-pair-id)$/i;
/** Signatures beside an expiry only: alone, a hash names the version of an image. */
const SIGNATURE_BESIDE_EXPIRY = /^(?:hash|md5|digest|verify|policy)$/i;
const GENERIC_EXPIRY =
  /^(?:exp|expires|expires_at|expires_in|expiry|expiration|valid_until|ttl|timestamp|ts)$/i;
const IMAGE_PATH = /\.(?:avif|bmp|gif|heic|jfif|jpe?g|png|tiff?|webp)$/i;

export interface CanonicalUrlOptions {
  /** More query parameters to drop, such as a tracking parameter of your own. @defaultValue none */
  readonly ignoreParameters?: readonly string[] | undefined;
}

/**
 * The same text for every signed URL of one image: no fragment, no signature or expiry, parameters in order.
 *
 * Vendors' schemes (AWS, Google, Azure, CloudFront, Alibaba, Tencent, Akamai, imgix) are known by their own marks. Generic
 * names such as `token` are dropped only where the path itself names an image file or an expiry stands beside them:
 * in `/render?token=…` the token may be what tells two images apart.
 */
export function canonicalUrl(
  value: string | URL,
  { ignoreParameters = [] }: CanonicalUrlOptions = {},
): string {
  const url = new URL(value);
  url.username = '';
  url.password = '';
  url.hash = '';
  const names = [...new Set(url.searchParams.keys())];
  const stripped = SCHEMES.filter(({ marks }) =>
    marks.every((mark) => names.some((name) => mark.test(name))),
  ).map(({ strip }) => strip);
  // imgix marks by a bare `s`, which others use for a size: only 32 hexadecimal digits are a signature.
  if (/^[0-9a-f]{32}$/.test(url.searchParams.get('s') ?? '')) stripped.push(/^(?:s|expires)$/);
  for (const { host, strip } of HOST_SCHEMES) if (host.test(url.hostname)) stripped.push(strip);
  const has = (pattern: RegExp) => names.some((name) => pattern.test(name));
  if (has(GENERIC_EXPIRY)) {
    if (has(GENERIC_SIGNATURE) || has(SIGNATURE_BESIDE_EXPIRY)) {
      stripped.push(GENERIC_SIGNATURE, SIGNATURE_BESIDE_EXPIRY, GENERIC_EXPIRY);
    }
  } else if (IMAGE_PATH.test(url.pathname)) {
    stripped.push(GENERIC_SIGNATURE);
  }
  for (const name of names) {
    if (ignoreParameters.includes(name) || stripped.some((strip) => strip.test(name)))
      url.searchParams.delete(name);
  }
  url.searchParams.sort();
  return url.href;
}

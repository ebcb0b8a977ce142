/** One way of signing URLs: parameters that mark it, and those that change with each signature. */
interface SignatureScheme {
  readonly markedBy: string;
  readonly changing: RegExp;
}

/**
 * Query parameters that only authorise, by the scheme that they belong to, in lower case. A name as common as `expires`
 * is dropped only where its scheme is recognised.
 * Sources: AWS Signature V4 and V2 query authentication, CloudFront signed URLs, Google Cloud Storage V4 and V2,
 * Azure service and account SAS, Alibaba OSS, imgix.
 */
const SCHEMES: readonly SignatureScheme[] = [
  { markedBy: 'x-amz-signature', changing: /^x-amz-(?!meta-)/ },
  { markedBy: 'x-goog-signature', changing: /^x-goog-/ },
  { markedBy: 'awsaccesskeyid', changing: /^(awsaccesskeyid|signature|expires|x-amz-security-token)$/ },
  { markedBy: 'googleaccessid', changing: /^(googleaccessid|signature|expires)$/ },
  { markedBy: 'ossaccesskeyid', changing: /^(ossaccesskeyid|signature|expires|security-token)$/ },
  { markedBy: 'key-pair-id', changing: /^(key-pair-id|signature|expires|policy)$/ },
  { markedBy: 'sig', changing: /^(sig|se|st|sp|sv|sr|ss|srt|spr|sip|si|skoid|sktid|skt|ske|sks|skv|sdd)$/ },
  { markedBy: 's', changing: /^(s|expires)$/ },
];

/** imgix marks by a bare `s`, which others use for a size: only 32 hex digits are a signature. */
const marks = ({ markedBy }: SignatureScheme, parameters: ReadonlyMap<string, string>) => {
  const value = parameters.get(markedBy);
  return value !== undefined && (markedBy !== 's' || /^[0-9a-f]{32}$/.test(value));
};

/**
 * The form of a URL that stays the same when it is signed anew: no user name, password or fragment, no signature
 * parameters, the rest sorted by name.
 */
export function canonicalUrl(url: URL): string {
  const canonical = new URL(url);
  canonical.username = '';
  canonical.password = '';
  canonical.hash = '';
  const entries = [...canonical.searchParams];
  const byName = new Map(entries.map(([name, value]) => [name.toLowerCase(), value]));
  const schemes = SCHEMES.filter((scheme) => marks(scheme, byName));
  const kept = entries.filter(([name]) => !schemes.some(({ changing }) => changing.test(name.toLowerCase())));
  canonical.search = new URLSearchParams(kept).toString();
  canonical.searchParams.sort();
  return canonical.href;
}

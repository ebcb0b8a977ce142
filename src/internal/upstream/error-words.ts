// How servers say in words what is wrong. Each pattern sees at most 2,000 characters, and repeats at most 100 of them.

/** A content filter or a moderation stopped it. */
export const REFUSED_WORDS: readonly RegExp[] = [
  /content[ _-](?:management |safety )?(?:policy|policies|filter)/i,
  /safety system|responsible ai/i,
  /\bflagged\b|\bmoderation\b|inappropriate content|usage polic(?:y|ies)|\bguardrails?\b/i,
];

/** The account is used up. */
export const QUOTA_WORDS: readonly RegExp[] = [
  /credit balance|payment required|\bbilling\b|spend(?:ing)? limit/i,
  /(?:insufficient|more|out of|enough) (?:account )?(?:credit|balance|fund|quota)/i,
  /exceeded your (?:current )?quota|\bkey limit exceeded/i,
];

/** The request is too large as a whole. */
export const SIZE_WORDS: readonly RegExp[] = [
  /maximum context|context (?:length|window|size)|too many (?:input )?tokens/i,
  /(?:prompt|input|request) is too long/i,
];

/** The key is wrong. */
export const KEY_WORDS: readonly RegExp[] = [
  /(?:invalid|incorrect|expired) api key/i,
  /api key (?:is )?(?:not valid|invalid|expired)/i,
];

/** An image could not be loaded from its address. */
export const DOWNLOAD_WORDS: readonly RegExp[] = [
  /\b(?:download|fetch|retriev)\w*[^.]{0,60}\b(?:images?|files?|media|urls?|content|https?:)/i,
  /\b(?:image|media|file|url)\b[^.]{0,60}\b(?:download|fetch|retriev|unreachable)/i,
  /\b(?:image|media|file|url)\b[^.]{0,60}\bnot (?:be )?(?:accessible|accessed|reachable|reached)/i,
  /invalid (?:image[_ ]?)?url(?! \()|urls? (?:is|are) not (?:currently )?supported|use base64/i,
];

/** Said of any address: of the image's, where the request had one. */
export const ADDRESS_WORDS: readonly RegExp[] = [
  /cannot connect to host|name or service not known|getaddrinfo|max retries exceeded/i,
  /\burl=(?:url\()?'?https?:|\bfor url: https?:|failed to (?:load|open|read) (?:the )?(?:image|url)|invalid image input/i,
];

/** Said where an image was sent as its address, of that address. */
export const URL_WORDS: readonly RegExp[] = [
  /\burls?\b[^.]{0,60}\b(?:returned|not|invalid|blocked|disallowed|forbidden|unsupported|scheme|missing|must)\b/i,
  /\b(?:unsupported|invalid|bad|missing) (?:image |media )?urls?\b(?! \()/i,
  /\b(?:access|load|open|read|reach)\w*\b[^.]{0,60}\b(?:urls?\b|https?:)/i,
  /\bbase64\b|\brobots\.txt|\bremote (?:images?|urls?)\b/i,
  /\bimage\b[^.]{0,60}\b40[134]\b|\bhttp ?(?:error|status):? 4\d\d\b/i,
];

/** The image is too large; several that are too many are not meant. */
export const LARGE_WORDS: readonly RegExp[] = [
  /\d patches\b.{0,100}\blimit\b/i,
  /\bimage\b[^.]{0,60}(?:too (?:large|big)|exceed)|exceed[^.]{0,60}\bimage (?:size|dimension)/i,
];

/** A model that takes no images, which is not the image's fault. */
export const BLIND_WORDS: readonly RegExp[] = [
  /not support\w* (?:\w+ )?(?:image|vision|multi-?modal)/i,
  /image(?: input)?s? (?:is|are) not supported/i,
];

/** The image has a format that is not taken. */
export const UNSUPPORTED_WORDS: readonly RegExp[] = [
  /unsupported image|unsupported (?:media|mime|file) ?(?:type|format)/i,
  /(?:image|file) (?:format|type)[^.]{0,60}(?:not supported|unsupported)/i,
];

/** The image is none, whoever says so: also a server that blames itself with a 5xx. */
export const NO_IMAGE_WORDS: readonly RegExp[] = [
  /not (?:represent )?a valid image|cannot identify image|image file is truncated/i,
];

/** The image is none, or broken. */
export const UNREADABLE_WORDS: readonly RegExp[] = [
  ...NO_IMAGE_WORDS,
  /invalid (?:base64|image)|image: unknown format|\bimage (?:data )?is (?:not valid|invalid)/i,
  /(?:not|can't|failed to|failure to|unable to) (?:process|decode|parse|read|open|load|identify)[^.]{0,40}\bimage\b/i,
  /\bimage\b[^.]{0,40}(?:corrupt|truncated|unreadable|decode)/i,
];

export const says = (message: string, words: readonly RegExp[]): boolean =>
  words.some((pattern) => pattern.test(message));

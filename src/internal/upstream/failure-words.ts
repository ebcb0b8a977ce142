import type { ImageErrorCode } from '../../errors/image-error.ts';
import type { FailureFacts } from './failure-facts.ts';

/** The meaning of an error's codes and words, where its status does not give it. */
export type WordMeaning = ImageErrorCode | 'refused' | 'quota' | 'auth' | 'size';

/**
 * Meanings of codes, the first match counts. Patterns see only letters and digits in small letters, because servers
 * write one code as `invalid_image_url` and as `InvalidImageURL`.
 */
const CODES: readonly (readonly [WordMeaning, RegExp])[] = [
  // Codes of a used-up account, which some send with a 429. Source: OpenAI, "Error codes" guide; OpenRouter, DeepSeek,
  // Moonshot, Alibaba.
  ['quota', /^(?:insufficient|exceededcurrent)(?:user|account)?(?:quota|balance|credits?|funds?)/],
  ['quota', /^(?:creditbalance|billing|paymentrequired|arrearage)|(?:spend|usage)limitexceeded$|^outofcredits?$/],
  // Codes of a content filter. Source: OpenAI, Azure, Alibaba, Volcengine.
  ['refused', /contentfilter|contentpolicy|prohibitedcontent|sensitivecontent/],
  ['refused', /responsibleai|moderation|datainspection|safetyviolation/],
  // Codes of an image that could not be loaded, such as `failed_to_download_image` or `MediaFetchError`.
  ['DESCRIBE_IMAGE_FETCH_FAILED', /(?:image|media|url|file).{0,40}(?:download|fetch|unreachable|inaccessible)/],
  ['DESCRIBE_IMAGE_FETCH_FAILED', /(?:download|fetch).{0,40}(?:image|media|url|file)|^invalidimageurl$/],
  ['DESCRIBE_IMAGE_TOO_LARGE', /^image(?:file)?toolarge$/],
  ['DESCRIBE_IMAGE_UNREADABLE', /^(?:invalidimage(?:data)?|invalidbase64image|imageparseerror|imagetoosmall)$/],
  ['DESCRIBE_IMAGE_UNREADABLE', /^(?:emptyimagefile|sanitizerservererror)$/],
  ['DESCRIBE_IMAGE_UNSUPPORTED', /^(?:invalidimageformat|unsupportedimage(?:format|mediatype)?)$/],
  ['size', /^(?:contextlengthexceeded|exceedcontextsizeerror|requesttoolarge)$/],
  ['auth', /^(?:invalidapikey|apikeyinvalid)$/],
];

// Words of messages. Each pattern sees at most 2,000 characters, and repeats at most 100 of them.

/** A content filter or a moderation refused the request. */
const REFUSED_WORDS = [
  /content[ _-](?:management |safety )?(?:policy|policies|filter)/i,
  /safety system|responsible ai/i,
  /\bflagged\b|\bmoderation\b|inappropriate content|usage polic(?:y|ies)|\bguardrails?\b/i,
];

/** The account is used up. */
const QUOTA_WORDS = [
  /credit balance|payment required|\bbilling\b|spend(?:ing)? limit/i,
  /(?:insufficient|more|out of|enough) (?:account )?(?:credit|balance|fund|quota)/i,
  /exceeded your (?:current )?quota|\bkey limit exceeded/i,
];

/** The request as a whole is too large. */
const SIZE_WORDS = [
  /maximum context|context (?:length|window|size)|too many (?:input )?tokens/i,
  /(?:prompt|input|request) is too long/i,
];

/** The key is wrong. */
const KEY_WORDS = [/(?:invalid|incorrect|expired) api key/i, /api key (?:is )?(?:not valid|invalid|expired)/i];

/** An image could not be loaded from its address. */
const DOWNLOAD_WORDS = [
  /\b(?:download|fetch|retriev)\w*[^.]{0,60}\b(?:images?|files?|media|urls?|content|https?:)/i,
  /\b(?:image|media|file|url)\b[^.]{0,60}\b(?:download|fetch|retriev|unreachable)/i,
  /\b(?:image|media|file|url)\b[^.]{0,60}\bnot (?:be )?(?:accessible|accessed|reachable|reached)/i,
  /invalid (?:image[_ ]?)?url(?! \()|urls? (?:is|are) not (?:currently )?supported|use base64/i,
];

/** Words about any address. They are about the image's, where the request had one. */
const ADDRESS_WORDS = [
  /cannot connect to host|name or service not known|getaddrinfo|max retries exceeded/i,
  /\burl=(?:url\()?'?https?:|\bfor url: https?:|failed to (?:load|open|read) (?:the )?(?:image|url)|invalid image input/i,
];

/** Words about the address of an image, where the request sent one as its address. */
const URL_WORDS = [
  /\burls?\b[^.]{0,60}\b(?:returned|not|invalid|blocked|disallowed|forbidden|unsupported|scheme|missing|must)\b/i,
  /\b(?:unsupported|invalid|bad|missing) (?:image |media )?urls?\b(?! \()/i,
  /\b(?:access|load|open|read|reach)\w*\b[^.]{0,60}\b(?:urls?\b|https?:)/i,
  /\bbase64\b|\brobots\.txt|\bremote (?:images?|urls?)\b/i,
  /\bimage\b[^.]{0,60}\b40[134]\b|\bhttp ?(?:error|status):? 4\d\d\b/i,
];

/** The image is too large. A message about too many images must not match. */
const LARGE_WORDS = [
  /\d patches\b.{0,100}\blimit\b/i,
  /\bimage\b[^.]{0,60}(?:too (?:large|big)|exceed)|exceed[^.]{0,60}\bimage (?:size|dimension)/i,
];

/** The model takes no images, which is not the image's fault. */
const BLIND_WORDS = [
  /not support\w* (?:\w+ )?(?:image|vision|multi-?modal)/i,
  /image(?: input)?s? (?:is|are) not supported/i,
];

/** The server does not take the format of the image. */
const UNSUPPORTED_WORDS = [
  /unsupported image|unsupported (?:media|mime|file) ?(?:type|format)/i,
  /(?:image|file) (?:format|type)[^.]{0,60}(?:not supported|unsupported)/i,
];

/** The bytes are no image. Also of a server that answers with a 5xx. */
const NO_IMAGE_WORDS = [/not (?:represent )?a valid image|cannot identify image|image file is truncated/i];

/** The bytes are no image, or a broken one. */
const UNREADABLE_WORDS = [
  ...NO_IMAGE_WORDS,
  /invalid (?:base64|image)|image: unknown format|\bimage (?:data )?is (?:not valid|invalid)/i,
  /(?:not|can't|failed to|failure to|unable to) (?:process|decode|parse|read|open|load|identify)[^.]{0,40}\bimage\b/i,
  /\bimage\b[^.]{0,40}(?:corrupt|truncated|unreadable|decode)/i,
];

const says = (message: string, words: readonly RegExp[]): boolean => words.some((pattern) => pattern.test(message));

/** Statuses that say little by themselves. */
const VAGUE_STATUSES: ReadonlySet<number> = new Set([400, 403, 404, 415, 422]);

/**
 * Reads the meaning of an error from its codes, then from its words. Undefined where only its status tells.
 * @param hasImageUrl - Whether the request sent an image as its address; undefined where that is not known.
 */
export function wordMeaningOf(facts: FailureFacts, hasImageUrl?: boolean): WordMeaning | undefined {
  const { status, message = '' } = facts;
  const byCode = codeMeaningOf(facts);
  // A content filter that could not load the image refused nothing.
  const isFilterUnloaded = byCode === 'refused' && hasImageUrl === true && says(message, DOWNLOAD_WORDS);
  if (byCode !== undefined) return isFilterUnloaded ? 'DESCRIBE_IMAGE_FETCH_FAILED' : byCode;
  // A failing server may name its own address, or that of an image that it could not load.
  if (status >= 500) {
    const namesAddress = says(message, DOWNLOAD_WORDS) || says(message, ADDRESS_WORDS);
    if (hasImageUrl === true && namesAddress) return 'DESCRIBE_IMAGE_FETCH_FAILED';
    return says(message, NO_IMAGE_WORDS) ? 'DESCRIBE_IMAGE_UNREADABLE' : undefined;
  }
  if (status >= 300 && !VAGUE_STATUSES.has(status)) return undefined;
  if (says(message, REFUSED_WORDS)) return 'refused';
  if (says(message, QUOTA_WORDS)) return 'quota';
  if (says(message, SIZE_WORDS)) return 'size';
  return isWrongKey(facts) ? 'auth' : imageMeaningOf(message, hasImageUrl);
}

/** Google answers a wrong key with a 400 that has no code of its own. */
const isWrongKey = ({ status, code = '400', message = '' }: FailureFacts): boolean =>
  status === 400 && code === '400' && says(message, KEY_WORDS);

function codeMeaningOf({ code, innerCode, type, param, status, isModeration }: FailureFacts): WordMeaning | undefined {
  if (isModeration === true) return 'refused';
  for (const word of [code, innerCode, type]) {
    const name = word?.toLowerCase().replace(/[^a-z0-9]/g, '') ?? '';
    const meaning = CODES.find(([, pattern]) => pattern.test(name))?.[0];
    if (meaning !== undefined && (status !== 429 || meaning === 'quota')) return meaning;
  }
  return code === 'invalid_value' && param === 'url' ? 'DESCRIBE_IMAGE_FETCH_FAILED' : undefined;
}

function imageMeaningOf(message: string, hasImageUrl: boolean | undefined): ImageErrorCode | undefined {
  if (hasImageUrl === true && says(message, URL_WORDS)) return 'DESCRIBE_IMAGE_FETCH_FAILED';
  if (says(message, BLIND_WORDS)) return undefined;
  if (hasImageUrl !== false && (says(message, DOWNLOAD_WORDS) || says(message, ADDRESS_WORDS))) {
    return 'DESCRIBE_IMAGE_FETCH_FAILED';
  }
  if (says(message, LARGE_WORDS)) return 'DESCRIBE_IMAGE_TOO_LARGE';
  if (says(message, UNSUPPORTED_WORDS)) return 'DESCRIBE_IMAGE_UNSUPPORTED';
  return says(message, UNREADABLE_WORDS) || says(message, ADDRESS_WORDS) ? 'DESCRIBE_IMAGE_UNREADABLE' : undefined;
}

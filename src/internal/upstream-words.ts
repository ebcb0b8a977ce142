import type { ImageErrorCode } from '../errors/image-error.ts';
import type { ToldFailure } from './foreign-error.ts';
import type { RequestSecrets } from './server-reason.ts';

/** What the codes and words of an error mean, where its status does not say it. */
export type WordMeaning = ImageErrorCode | 'refused' | 'quota' | 'auth' | 'size';

/** Codes by their letters and digits alone: servers write one code as `invalid_image_url` and as `InvalidImageURL`. */
const CODES: ReadonlyMap<string, WordMeaning> = new Map<string, WordMeaning>([
  ['imagetoolarge', 'DESCRIBE_IMAGE_TOO_LARGE'],
  ['imagefiletoolarge', 'DESCRIBE_IMAGE_TOO_LARGE'],
  ['invalidimage', 'DESCRIBE_IMAGE_UNREADABLE'],
  ['invalidimagedata', 'DESCRIBE_IMAGE_UNREADABLE'],
  ['invalidbase64image', 'DESCRIBE_IMAGE_UNREADABLE'],
  ['imageparseerror', 'DESCRIBE_IMAGE_UNREADABLE'],
  ['imagetoosmall', 'DESCRIBE_IMAGE_UNREADABLE'],
  ['emptyimagefile', 'DESCRIBE_IMAGE_UNREADABLE'],
  ['sanitizerservererror', 'DESCRIBE_IMAGE_UNREADABLE'],
  ['invalidimageformat', 'DESCRIBE_IMAGE_UNSUPPORTED'],
  ['unsupportedimage', 'DESCRIBE_IMAGE_UNSUPPORTED'],
  ['unsupportedimageformat', 'DESCRIBE_IMAGE_UNSUPPORTED'],
  ['unsupportedimagemediatype', 'DESCRIBE_IMAGE_UNSUPPORTED'],
  ['failedtodownloadimage', 'DESCRIBE_IMAGE_FETCH_FAILED'],
  ['imagedownloadfailed', 'DESCRIBE_IMAGE_FETCH_FAILED'],
  ['imagedownloaderror', 'DESCRIBE_IMAGE_FETCH_FAILED'],
  ['invalidimageurl', 'DESCRIBE_IMAGE_FETCH_FAILED'],
  ['contextlengthexceeded', 'size'],
  ['exceedcontextsizeerror', 'size'],
  ['requesttoolarge', 'size'],
  ['invalidapikey', 'auth'],
  ['apikeyinvalid', 'auth'],
]);

/**
 * Codes of a used-up account, which some send with a 429. Source: OpenAI, "Error codes" guide; OpenRouter, DeepSeek,
 * Moonshot, Alibaba.
 */
const QUOTA_CODES =
  /^(?:insufficient|exceededcurrent)(?:user|account)?(?:quota|balance|credits?|funds?)|^creditbalance|^billing|^paymentrequired|^arrearage|(?:spend|usage)limitexceeded$|^outofcredits?$/;

/** Codes of a content filter. Source: OpenAI, Azure, Alibaba, Volcengine. */
const FILTER_CODES =
  /contentfilter|contentpolicy|responsibleai|moderation|sensitivecontent|datainspection|prohibitedcontent|safetyviolation/;

// Each pattern sees at most 2,000 characters, and repeats at most 100 of them.
const REFUSED_WORDS =
  /content[ _-](?:management |safety )?(?:polic(?:y|ies)|filter)|safety system|\bflagged\b|\bmoderation\b|inappropriate content|responsible ai/i;
const QUOTA_WORDS =
  /credit balance|insufficient (?:account )?(?:credit|balance|fund|quota)|(?:more|out of|enough) (?:credit|balance|quota)|payment required|\bbilling\b|exceeded your (?:current )?quota|spend(?:ing)? limit/i;
const SIZE_WORDS =
  /maximum context|context (?:length|window|size)|too many (?:input )?tokens|(?:prompt|input|request) is too long/i;
const KEY_WORDS = /(?:invalid|incorrect|expired) api key|api key (?:is )?(?:not valid|invalid|expired)/i;
const DOWNLOAD_WORDS =
  /\b(?:download|fetch|retriev)\w*[^.]{0,60}\b(?:images?|files?|media|urls?|content)\b|\b(?:image|media|file|url)\b[^.]{0,60}\b(?:download|fetch|retriev|not (?:be )?(?:accessible|accessed|reachable|reached)|unreachable)|invalid (?:image[_ ]?url|url)|urls? (?:is|are) not (?:currently )?supported|use base64/i;
/** Said of any address: they tell of the image's where the request had one. */
const ADDRESS_WORDS =
  /cannot connect to host|name or service not known|getaddrinfo|max retries exceeded|\burl='?https?:|failed to (?:load|open|read) (?:the )?(?:image|url)|invalid image input/i;
const LARGE_WORDS =
  /\d patches\b.{0,100}\blimit\b|image[^.]{0,60}(?:too (?:large|big)|exceed)|exceed[^.]{0,60}image (?:size|dimension)/i;
/** A model without eyes is not the image's fault. */
const BLIND_WORDS =
  /not support\w* (?:\w+ )?(?:image|vision|multi-?modal)|image(?: input)?s? (?:is|are) not supported/i;
const UNSUPPORTED_WORDS =
  /unsupported image|(?:image|file) (?:format|type)[^.]{0,60}(?:not supported|unsupported)|unsupported (?:media|mime|image|file) ?(?:type|format)/i;
const UNREADABLE_WORDS =
  /not (?:represent )?a valid image|cannot identify image|(?:not|can't|fail(?:ed|ure)? to|unable to) (?:process|decode|parse|read|open|load|identify)[^.]{0,40}image|invalid (?:base64|image)|image[^.]{0,40}(?:corrupt|truncated|unreadable|decode)|image: unknown format/i;

/** Statuses that say little by themselves. */
const WORDY: ReadonlySet<number> = new Set([400, 403, 404, 415, 422]);

/** What is known of the request beside the answer. */
export interface SentRequest {
  /** Whether an image was sent as its address; undefined where that is not known. */
  readonly hasImageUrl?: boolean | undefined;
  /** What the API's reason has to be cleaned of; without it no reason is shown. Called where there is one. */
  readonly secrets?: (() => RequestSecrets) | undefined;
}

/** What an error says by its codes, then by its words. Undefined where its status has to tell. */
export function wordMeaningOf(told: ToldFailure, { hasImageUrl }: SentRequest): WordMeaning | undefined {
  const { status, message = '' } = told;
  const byCode = codeMeaningOf(told);
  if (byCode !== undefined) return byCode;
  // A server that fails may name an address of its own, or the image's that it could not load.
  if (status >= 500) {
    const names = DOWNLOAD_WORDS.test(message) || ADDRESS_WORDS.test(message);
    return hasImageUrl === true && names ? 'DESCRIBE_IMAGE_FETCH_FAILED' : undefined;
  }
  if (status >= 300 && !WORDY.has(status)) return undefined;
  if (REFUSED_WORDS.test(message)) return 'refused';
  if (QUOTA_WORDS.test(message)) return 'quota';
  if (SIZE_WORDS.test(message)) return 'size';
  return isWrongKey(told) ? 'auth' : imageMeaningOf(message, hasImageUrl);
}

/** Google blames a wrong key with a 400 that has no code of its own. */
const isWrongKey = ({ status, code = '400', message = '' }: ToldFailure): boolean =>
  status === 400 && code === '400' && KEY_WORDS.test(message);

function codeMeaningOf({
  code,
  innerCode,
  type,
  param,
  status,
  isModeration,
}: ToldFailure): WordMeaning | undefined {
  if (isModeration === true) return 'refused';
  for (const word of [code, innerCode, type]) {
    const name = word?.toLowerCase().replace(/[^a-z0-9]/g, '');
    if (name === undefined) continue;
    if (QUOTA_CODES.test(name)) return 'quota';
    if (status === 429) continue;
    const meaning = FILTER_CODES.test(name) ? 'refused' : CODES.get(name);
    if (meaning !== undefined) return meaning;
  }
  return code === 'invalid_value' && param === 'url' ? 'DESCRIBE_IMAGE_FETCH_FAILED' : undefined;
}

function imageMeaningOf(message: string, hasImageUrl: boolean | undefined): ImageErrorCode | undefined {
  if (BLIND_WORDS.test(message)) return undefined;
  if (hasImageUrl !== false && (DOWNLOAD_WORDS.test(message) || ADDRESS_WORDS.test(message))) {
    return 'DESCRIBE_IMAGE_FETCH_FAILED';
  }
  if (LARGE_WORDS.test(message)) return 'DESCRIBE_IMAGE_TOO_LARGE';
  if (UNSUPPORTED_WORDS.test(message)) return 'DESCRIBE_IMAGE_UNSUPPORTED';
  return UNREADABLE_WORDS.test(message) || ADDRESS_WORDS.test(message)
    ? 'DESCRIBE_IMAGE_UNREADABLE'
    : undefined;
}

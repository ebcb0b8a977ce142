import type { ImageErrorCode } from '../../errors/image-error.ts';
import {
  ADDRESS_WORDS,
  BLIND_WORDS,
  DOWNLOAD_WORDS,
  KEY_WORDS,
  LARGE_WORDS,
  NO_IMAGE_WORDS,
  QUOTA_WORDS,
  REFUSED_WORDS,
  SIZE_WORDS,
  says,
  UNREADABLE_WORDS,
  UNSUPPORTED_WORDS,
  URL_WORDS,
} from './error-words.ts';
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
const QUOTA_CODES: readonly RegExp[] = [
  /^(?:insufficient|exceededcurrent)(?:user|account)?(?:quota|balance|credits?|funds?)/,
  /^(?:creditbalance|billing|paymentrequired|arrearage)/,
  /(?:spend|usage)limitexceeded$|^outofcredits?$/,
];

/** Codes of a content filter. Source: OpenAI, Azure, Alibaba, Volcengine. */
const FILTER_CODES: readonly RegExp[] = [
  /contentfilter|contentpolicy|prohibitedcontent|sensitivecontent/,
  /responsibleai|moderation|datainspection|safetyviolation/,
];

/** Codes of an image that could not be loaded, such as `failed_to_download_image` or `MediaFetchError`. */
const DOWNLOAD_CODES: readonly RegExp[] = [
  /(?:image|media|url|file).{0,40}(?:download|fetch|unreachable|inaccessible)/,
  /(?:download|fetch).{0,40}(?:image|media|url|file)/,
];

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
  // A filter that could not load what it was to look at refused nothing.
  const isFilterUnloaded = byCode === 'refused' && hasImageUrl === true && says(message, DOWNLOAD_WORDS);
  if (byCode !== undefined) return isFilterUnloaded ? 'DESCRIBE_IMAGE_FETCH_FAILED' : byCode;
  // A server that fails may name an address of its own, or the image's that it could not load.
  if (status >= 500) {
    const names = says(message, DOWNLOAD_WORDS) || says(message, ADDRESS_WORDS);
    if (hasImageUrl === true && names) return 'DESCRIBE_IMAGE_FETCH_FAILED';
    return says(message, NO_IMAGE_WORDS) ? 'DESCRIBE_IMAGE_UNREADABLE' : undefined;
  }
  if (status >= 300 && !WORDY.has(status)) return undefined;
  if (says(message, REFUSED_WORDS)) return 'refused';
  if (says(message, QUOTA_WORDS)) return 'quota';
  if (says(message, SIZE_WORDS)) return 'size';
  return isWrongKey(told) ? 'auth' : imageMeaningOf(message, hasImageUrl);
}

/** Google blames a wrong key with a 400 that has no code of its own. */
const isWrongKey = ({ status, code = '400', message = '' }: ToldFailure): boolean =>
  status === 400 && code === '400' && says(message, KEY_WORDS);

function codeMeaningOf({ code, innerCode, type, param, status, isModeration }: ToldFailure): WordMeaning | undefined {
  if (isModeration === true) return 'refused';
  for (const word of [code, innerCode, type]) {
    const name = word?.toLowerCase().replace(/[^a-z0-9]/g, '');
    if (name === undefined) continue;
    if (says(name, QUOTA_CODES)) return 'quota';
    if (status === 429) continue;
    if (says(name, FILTER_CODES)) return 'refused';
    const meaning = says(name, DOWNLOAD_CODES) ? 'DESCRIBE_IMAGE_FETCH_FAILED' : CODES.get(name);
    if (meaning !== undefined) return meaning;
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

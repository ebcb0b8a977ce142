import { SecretMask } from './secret-mask.ts';
import type { RequestSecrets } from './sent-request.ts';

/**
 * Returns a server's word, such as the id of a request, if it may be in errors and logs. That is: at most 128 letters,
 * digits and `_ . : -`, and no key. Anything else could repeat the request, and is undefined.
 */
export function shortTokenOf(value: unknown, keys: readonly string[] = []): string | undefined {
  if (typeof value !== 'string' || !/^[A-Za-z0-9][\w.:-]{0,127}$/.test(value) || isKeyLike(value)) return undefined;
  return keys.some((key) => key.length >= 4 && value.includes(key)) ? undefined : value;
}

/** Greatest length of a reason, in characters. */
export const MAX_REASON_LENGTH = 500;
const MAX_READ_LENGTH = 4096;
/** Greatest length of a secret that is searched for. With a longer one no reason is shown. */
const MAX_SECRET_LENGTH = 65_536;

const KEY_RULES = { label: '[key]', leastRun: 8, leastLength: 4, wholeToken: true };
const ADDRESS_RULES = { label: '[image]', leastRun: 12, leastLength: 4, wholeToken: true };
const TEXT_RULES = { label: '[prompt]', leastRun: 12, leastLength: 3 };

/** Cuts a server's text to the 4,096 characters that patterns may see: a server can send megabytes. */
export const cutServerText = (text: string): string => text.slice(0, MAX_READ_LENGTH);

/**
 * Makes a server's own reason fit for an error: one line of at most 500 characters. It has no control characters, keys,
 * data URLs or base64, and no secret, whole or quoted in part. Undefined where nothing is left, or a secret is longer
 * than 65,536 characters. Takes time that is linear in the first 4,096 characters and in the secrets.
 */
export function serverReason(text: unknown, { keys, texts, addresses }: RequestSecrets): string | undefined {
  if (typeof text !== 'string') return undefined;
  const secrets = [keys, texts, addresses].flatMap((each) => each ?? []);
  if (secrets.some(({ length }) => length > MAX_SECRET_LENGTH)) return undefined;
  const mask = new SecretMask(withoutTags(onOneLine(decoded(wholeWords(text)))));
  for (const key of keys ?? []) mask.hide(key, KEY_RULES);
  for (const address of addresses ?? []) mask.hide(decoded(addressOf(address)), ADDRESS_RULES);
  for (const prompt of texts ?? []) mask.hideLines(decoded(prompt), TEXT_RULES);
  const reason = withoutPatterns(mask.toString()).trim();
  if (!/[\p{L}\p{N}]/u.test(reason)) return undefined;
  return reason.length <= MAX_REASON_LENGTH ? reason : `${cutAt(reason, MAX_REASON_LENGTH - 1)}…`;
}

/** Drops the word at the cut: it may be half a secret. */
function wholeWords(text: string): string {
  if (text.length <= MAX_READ_LENGTH) return text;
  const cut = cutServerText(text);
  const end = Math.max(cut.lastIndexOf(' '), cut.lastIndexOf('\n'));
  return end > 0 ? cut.slice(0, end) : cut;
}

/** The part of an address that tells it from others. Empty for a data URL, which a pattern finds. */
const addressOf = (address: string): string =>
  /^data:/i.test(address) ? '' : address.replace(/^[a-z]{1,10}:\/\//i, '');

/** Decodes the escapes of JSON, URLs and HTML, so that a quoted secret is recognised. */
const decoded = (text: string): string =>
  text
    .replace(/\\(?:u([0-9a-f]{4})|x([0-9a-f]{2})|([nrtbf])|(.))/gi, unescaped)
    .replace(/(?:%[0-9a-f]{2})+/gi, percentDecoded)
    .replace(/&(#\d{1,6}|#x[0-9a-f]{1,6}|quot|apos|amp|lt|gt|nbsp);/gi, entity)
    .normalize('NFKC');

const onOneLine = (text: string): string => text.replace(/[\s\p{C}]+/gu, ' ');

function unescaped(_: string, hex4?: string, hex2?: string, blank?: string, other?: string): string {
  const hex = hex4 ?? hex2;
  if (hex !== undefined) return characterOf(Number.parseInt(hex, 16));
  return blank === undefined ? (other ?? '') : ' ';
}

function percentDecoded(run: string): string {
  try {
    return decodeURIComponent(run);
  } catch {
    return run;
  }
}

const ENTITIES = new Map([
  ['quot', '"'],
  ['apos', "'"],
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['nbsp', ' '],
]);

function entity(_: string, name: string): string {
  const numeric = /^#(x?)(\w+)$/i.exec(name);
  if (numeric === null) return ENTITIES.get(name.toLowerCase()) ?? ' ';
  return characterOf(Number.parseInt(numeric[2] ?? '', numeric[1] === '' ? 10 : 16));
}

const characterOf = (codePoint: number): string => (codePoint <= 0x10ffff ? String.fromCodePoint(codePoint) : ' ');

/** Removes the tags of a page. A text that only looks like a tag, such as `<image>`, stays. */
const withoutTags = (text: string): string =>
  /^ ?<(?:!doctype|html|\?xml)/i.test(text)
    ? text
        .replace(/<(style|script)\b[^<]*<\/\1>/gi, ' ')
        .replace(/<[^<>]*>?/g, ' ')
        .replace(/ +/g, ' ')
    : text;

/** Takes linear time: each pattern starts with fixed words or sees one word, so none starts at every character. */
const withoutPatterns = (text: string): string =>
  text
    .replace(
      /\b(bearer(?: token)?|basic|api[-_ ]?key(?: provided)?|access[-_ ]token|secret|password)(["']? ?[:=]? ?["']?)([^\s"',;]+)/gi,
      (all, name: string, between: string, value: string) => (isTokenLike(value) ? `${name}${between}[key]` : all),
    )
    .replace(/[^\s"'`<>()[\]{}]+/g, maskedWord);

const isTokenLike = (value: string): boolean =>
  value.length >= 20 || (value.length >= 6 && /\d/.test(value) && /[a-z]/i.test(value));

function maskedWord(word: string): string {
  const dataUrl = /data:[a-z]{1,20}\//i.exec(word);
  if (dataUrl !== null) return `${word.slice(0, dataUrl.index)}[image]`;
  if (isKeyLike(word)) return '[key]';
  return word
    .replace(/([a-z]{2,10}:\/\/)([^?#]*)([?#].*)?/i, withoutQuery)
    .replace(/[\w+/=-]{8,}/g, (run) => (isEncoded(run) ? '[data]' : run));
}

/** Matches `sk-…`, and a key with its middle hidden: OpenAI repeats a wrong key as `sk-ab***yz`, others with dots. */
const isKeyLike = (word: string): boolean =>
  /(?:^|[^a-z0-9])(?:sk|pk|rk|gsk|xai)[-_][\w*.…-]{3}/i.test(word) ||
  /[\w-](?:\*{2,}|•+|…|\.{3})[\w-]|\*{3,}[\w-]/.test(word);

/** Removes credentials and query from an address: the query may be a signature. */
function withoutQuery(_: string, scheme: string, rest: string, query?: string): string {
  const at = rest.indexOf('@');
  return `${scheme}${at < 0 ? rest : rest.slice(at + 1)}${query === undefined ? '' : '?…'}`;
}

/** First characters of PNG, JPEG, GIF and WebP in base64. */
const IMAGE_STARTS = /^(?:iVBORw0K|\/9j\/|R0lGOD|UklGR)/;

/**
 * Share of neighbouring characters of different kinds (capital, small letter, digit). It is 0.62 in base64, and at most
 * 0.3 in names of models.
 */
const ENCODED_RATIO = 0.34;

/** Tells base64 and hex from a path or a name. */
function isEncoded(run: string): boolean {
  if (run.length >= 120 || IMAGE_STARTS.test(run)) return true;
  if (run.length >= 32 && /^(?=.*\d)[0-9a-f]+$/i.test(run)) return true;
  let pairs = 0;
  let changes = 0;
  for (let index = 1; index < run.length; index += 1) {
    const [left, right] = [kindOf(run.charCodeAt(index - 1)), kindOf(run.charCodeAt(index))];
    if (left === 'other' || right === 'other') continue;
    pairs += 1;
    if (left !== right) changes += 1;
  }
  return pairs >= 12 && changes >= pairs * ENCODED_RATIO;
}

function kindOf(code: number): 'digit' | 'capital' | 'small' | 'other' {
  if (code >= 48 && code <= 57) return 'digit';
  if (code >= 65 && code <= 90) return 'capital';
  return code >= 97 && code <= 122 ? 'small' : 'other';
}

/** Never cuts through a surrogate pair. */
function cutAt(text: string, length: number): string {
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? length - 1 : length);
}

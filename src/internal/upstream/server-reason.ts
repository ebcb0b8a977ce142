import { SecretMask } from './secret-mask.ts';

/** What a request held of which nothing may stand in an error. */
export interface RequestSecrets {
  /** API keys and tokens. */
  readonly keys?: readonly string[] | undefined;
  /** Prompts and other texts of the caller's. */
  readonly texts?: readonly string[] | undefined;
  /** Addresses of images. */
  readonly addresses?: readonly string[] | undefined;
}

/** Length of a reason, in characters. */
export const MAX_REASON_LENGTH = 500;
const MAX_READ_LENGTH = 4096;
/** Length of a secret that is looked for; next to a longer one no reason is shown. */
const MAX_SECRET_LENGTH = 65_536;

const KEY_RULES = { label: '[key]', leastRun: 8, leastLength: 4, wholeToken: true };
const ADDRESS_RULES = { label: '[image]', leastRun: 12, leastLength: 4, wholeToken: true };
const TEXT_RULES = { label: '[prompt]', leastRun: 12, leastLength: 3 };

/** The part of a server's text that patterns may look at, 4,096 characters: a server can send megabytes. */
export const cutServerText = (text: string): string => text.slice(0, MAX_READ_LENGTH);

/**
 * The server's own reason, made fit for an error: one line of at most 500 characters without control characters, keys,
 * data URLs, base64, or anything of `secrets`, given whole or quoted in part. Undefined where nothing is left of it, or
 * a secret is longer than 65,536 characters. Takes time that is linear in the first 4,096 characters and in the
 * secrets.
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

/** A word that the cut goes through may be half a secret, and is left out. */
function wholeWords(text: string): string {
  if (text.length <= MAX_READ_LENGTH) return text;
  const cut = cutServerText(text);
  const end = Math.max(cut.lastIndexOf(' '), cut.lastIndexOf('\n'));
  return end > 0 ? cut.slice(0, end) : cut;
}

/** What an address is told by, whatever its scheme; nothing of a data URL, which a pattern finds. */
const addressOf = (address: string): string =>
  /^data:/i.test(address) ? '' : address.replace(/^[a-z]{1,10}:\/\//i, '');

/** Text in which nothing is escaped, as JSON, URLs and HTML do it: so a secret reads alike, given or quoted. */
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

/** A page says its reason between tags. What only looks like one, such as `<image>`, stays. */
const withoutTags = (text: string): string =>
  /^ ?<(?:!doctype|html|\?xml)/i.test(text)
    ? text
        .replace(/<(style|script)\b[^<]*<\/\1>/gi, ' ')
        .replace(/<[^<>]*>?/g, ' ')
        .replace(/ +/g, ' ')
    : text;

/** Each pattern begins with a word of its own or sees one word only, so that none can begin at every character. */
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

/** As `sk-…`, or with its middle hidden: OpenAI repeats a wrong key as `sk-ab***yz`, others with dots. */
export const isKeyLike = (word: string): boolean =>
  /(?:^|[^a-z0-9])(?:sk|pk|rk|gsk|xai)[-_][\w*.…-]{3}/i.test(word) ||
  /[\w-](?:\*{2,}|•+|…|\.{3})[\w-]|\*{3,}[\w-]/.test(word);

/** An address keeps neither credentials nor its query, which may be a signature. */
function withoutQuery(_: string, scheme: string, rest: string, query?: string): string {
  const at = rest.indexOf('@');
  return `${scheme}${at < 0 ? rest : rest.slice(at + 1)}${query === undefined ? '' : '?…'}`;
}

/** How an image begins in base64, by its format. */
const IMAGE_STARTS = /^(?:iVBORw0K|\/9j\/|R0lGOD|UklGR)/;

/**
 * Share of neighbours of another kind (capital, small letter, digit): 0.62 in base64, at most 0.3 in names of models.
 */
const ENCODED_RATIO = 0.34;

/** Base64 or hex rather than a path or a name. */
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

/** Never through the middle of a character. */
function cutAt(text: string, length: number): string {
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? length - 1 : length);
}

import { errorBodyOf } from '../../internal/upstream/error-body.ts';

/** Parameters that some servers refuse. A request without them still has the same meaning. */
export type RefusableParameter =
  | 'store'
  | 'max_completion_tokens'
  | 'max_tokens'
  | 'temperature'
  | 'reasoning_effort'
  | 'detail'
  | 'stream_options';

/** Codes that mean an unknown parameter, whatever the message says. */
const CODES: ReadonlySet<unknown> = new Set([
  'unsupported_parameter',
  'unsupported_value',
  'unknown_parameter',
  'extra_forbidden',
]);

/** Phrases by which servers refuse a field: OpenAI, Azure, Mistral, Gemini, vLLM, Groq, serde, Go, JSON Schema. */
const REFUSAL =
  /unsupported|unknown|unrecogni[sz]ed|unexpected|extraneous|\bextra[ _](inputs?|fields?|forbidden)|additional propert|\bnot (permitted|allowed|supported|recogni[sz]ed|known|a valid)|\b(does not|doesn't|do not|cannot) support|cannot find field|invalid (parameter|argument|field|property)/i;

/** Phrases about a value that is out of bounds. Such a parameter is known, and its value is the caller's to correct. */
const BOUNDS =
  /\b(between|at (most|least)|(less|greater|more|fewer|higher|lower|larger|smaller) than|too (large|small|high|low|long)|out of range|exceed\w*|maximum|minimum)\b|[<>]=?\s*\d+(?![\d>])/i;

/** Names that are English words too. They count only where the message uses them as a name. */
const WORDS: ReadonlySet<string> = new Set(['store', 'detail', 'reasoning', 'effort']);

/** A server's message is cut before a pattern looks at it. */
const MAX_MESSAGE_LENGTH = 2_000;

/**
 * Finds the parameter of a request that the server refuses by name: the first one that the answer names. Undefined for
 * any other failure, such as a value out of bounds.
 */
export function refusedParameter(
  error: unknown,
  sent: readonly RefusableParameter[],
  namesOf: (parameter: RefusableParameter) => readonly string[] = (parameter) => [parameter],
): RefusableParameter | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { status, error: body, message, param } = error as Readonly<Record<string, unknown>>;
  if (status !== 400 && status !== 422) return undefined;
  const fields = errorBodyOf(body);
  const text = fields?.message ?? (typeof message === 'string' ? message.slice(0, MAX_MESSAGE_LENGTH) : '');
  const isByCode = CODES.has(fields?.code) || CODES.has(fields?.innerCode) || CODES.has(fields?.type);
  if (!isByCode && (!REFUSAL.test(text) || BOUNDS.test(text))) return undefined;
  const named = typeof param === 'string' && param !== '' ? param : fields?.param;
  const last = named === undefined ? undefined : lastName(named);
  const found = last === undefined ? undefined : sent.find((parameter) => namesOf(parameter).includes(last));
  // Some servers put a kind of error into `param`, which the message does not name.
  const isNamed = found !== undefined || (last !== undefined && text.includes(last));
  return isNamed ? found : firstNamed(text, sent, namesOf);
}

/** The last name of a path, such as `messages[0].content[1].image_url.detail`. */
const lastName = (path: string): string | undefined =>
  path
    .slice(-MAX_MESSAGE_LENGTH)
    .split(/[^\w]+/)
    .findLast((part) => part !== '');

function firstNamed(
  text: string,
  sent: readonly RefusableParameter[],
  namesOf: (parameter: RefusableParameter) => readonly string[],
): RefusableParameter | undefined {
  let first: RefusableParameter | undefined;
  let firstAt = Number.POSITIVE_INFINITY;
  for (const parameter of sent) {
    for (const name of namesOf(parameter)) {
      const at = text.search(WORDS.has(name) ? asName(name) : asWord(name));
      if (at === -1 || at >= firstAt) continue;
      first = parameter;
      firstAt = at;
    }
  }
  return first;
}

const asWord = (name: string) => new RegExp(`(?<!\\w)${name}(?!\\w)`);

/** The name in quotes, brackets or a path, after a colon, comma or "parameter", or before a colon at the start. */
const asName = (name: string) =>
  new RegExp(
    `(?:["'\`\\[.]|[:,] |(?:parameters?|property|fields?|arguments?|key|name|inputs?) )${name}(?!\\w)|^${name}:`,
    'i',
  );

import { describeKind, type OptionCheck } from './option-checks.ts';

/** Fields of a request that go to the API as they are. */
export type ExtraBody = Readonly<Record<string, unknown>>;

/** Fields that the SDK writes itself, and what to say in place of each. */
const OWNED: Readonly<Record<string, string>> = {
  model: 'use the option `model`',
  messages: 'use `prompt`, `system` and the image',
  input: 'use `prompt`, `system` and the image',
  instructions: 'use the option `system`',
  stream: 'use `client.stream()`',
  stream_options: 'use `client.stream()`',
  background: 'answers are waited for',
  previous_response_id: 'each call stands alone',
  conversation: 'each call stands alone',
  n: 'one answer is read',
  store: 'it is false; a `dialect` of generic sends none',
  max_tokens: 'use the option `maxOutputTokens`',
  max_completion_tokens: 'use the option `maxOutputTokens`',
  max_output_tokens: 'use the option `maxOutputTokens`',
  temperature: 'use the option `temperature`',
  reasoning_effort: 'use the option `reasoningEffort`',
  response_format: 'use the option `schema`',
  text: 'use the option `schema`',
};

/** Fields that tell who calls. They do not change the answer. */
const NOT_OF_THE_ANSWER: readonly string[] = ['user', 'safety_identifier', 'metadata', 'prompt_cache_key'];

/** A plain object of JSON that sets nothing that the SDK owns. */
export const extraBodyCheck = (): OptionCheck => (value, option) => {
  if (value === undefined) return [];
  if (!isPlainObject(value)) {
    return [{ option, expected: 'an object of fields for the request', got: describeKind(value) }];
  }
  const owned = Object.keys(value).filter((name) => Object.hasOwn(OWNED, name));
  if (owned.length > 0) {
    return owned.map((name) => ({
      option: `${option}.${name}`,
      expected: `nothing: ${OWNED[name]}`,
      got: 'a value',
    }));
  }
  return isJson(value) ? [] : [{ option, expected: 'fields that JSON can hold', got: 'one that it cannot hold' }];
};

/** An object of a class may have other JSON than its fields. */
function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // A plain object may be of another realm, such as a worker's or a test runner's.
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null;
  return isPlain && typeof (value as { readonly toJSON?: unknown }).toJSON !== 'function';
}

function isJson(value: object): boolean {
  try {
    return JSON.stringify(value) !== undefined;
  } catch {
    // A cycle, a BigInt, or a getter that throws.
    return false;
  }
}

/** Copies fields as JSON has them, so that a later change has no effect on the request. */
export const jsonCopy = (extraBody: ExtraBody): ExtraBody => JSON.parse(JSON.stringify(extraBody)) as ExtraBody;

/** The fields that may change the answer, for keys of descriptions; undefined where there are none. */
export function answeringFields(extraBody: ExtraBody | undefined): ExtraBody | undefined {
  if (extraBody === undefined) return undefined;
  const fields: Record<string, unknown> = { ...jsonCopy(extraBody) };
  for (const name of NOT_OF_THE_ANSWER) delete fields[name];
  return Object.keys(fields).length === 0 ? undefined : fields;
}

/** The same JSON for equal fields, whatever their order. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_name, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

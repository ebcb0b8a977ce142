import { InputError } from '../../errors/input-error.ts';
import { encodeDataUrl } from '../../http/encoding/encode-base64.ts';
import { InlineBytes } from '../../http/encoding/encode-json.ts';
import { type AddressGuard, hasCredentials } from '../../http/guard/address-guard.ts';
import { ignoreRejection } from '../../internal/async/user-callback.ts';
import { canonicalJson, extraBodyCheck } from '../../internal/options/extra-body.ts';
import { imageTextOf } from '../../internal/options/image-value.ts';
import { REASONING_EFFORTS } from '../../internal/options/reasoning-effort.ts';
import { dataUrlLength, mediaTypeOf } from './image-data-url.ts';
import type { VisionItem, VisionParameters, VisionRequest } from './vision-request.ts';

/** Values of fields that a request leaves open. */
export interface VisionDefaults {
  readonly prompt: string;
  readonly model: string;
  readonly detail: 'low' | 'high' | 'auto';
  readonly maxOutputTokens: number;
  readonly estimateTokens: (request: VisionRequest) => number;
  /** Whether the sender encodes bytes itself. */
  readonly inlineBytes: boolean;
  /** Decides over the hosts of addresses; without it the sender does. */
  readonly guard: AddressGuard | undefined;
}

const DETAILS: readonly unknown[] = ['low', 'high', 'auto'];

/**
 * Checks a request and fills in its defaults; nothing is loaded or encoded yet.
 * @throws `DESCRIBE_INPUT_INVALID` that names the wrong field, `DESCRIBE_IMAGE_UNSUPPORTED` by the first bytes.
 * @throws `DESCRIBE_IMAGE_FORBIDDEN` for credentials in an address or a host that may not be used.
 */
export function visionItem(request: VisionRequest, defaults: VisionDefaults): VisionItem {
  const { prompt = defaults.prompt, model = defaults.model, detail = defaults.detail, schema } = request;
  const { maxOutputTokens = defaults.maxOutputTokens } = request;
  if (typeof prompt !== 'string' || prompt.trim() === '') throw new InputError('prompt', 'expected some text');
  if (typeof model !== 'string' || model === '') throw new InputError('model', 'expected a name');
  if (!DETAILS.includes(detail)) throw new InputError('detail', "expected 'low', 'high' or 'auto'");
  if (!Number.isSafeInteger(maxOutputTokens) || maxOutputTokens < 1) {
    throw new InputError('maxOutputTokens', 'expected a whole number of at least 1');
  }
  if (schema !== undefined) checkSchema(schema);
  const { scope } = request;
  if (scope !== undefined && typeof scope !== 'string') throw new InputError('scope', 'expected a string');
  const { system, temperature, reasoningEffort, extraBody } = request;
  const parameters = { system, temperature, reasoningEffort, extraBody };
  checkParameters(parameters);
  const imageTokens = defaults.estimateTokens(request);
  if (!(imageTokens >= 0)) {
    ignoreRejection(imageTokens);
    throw new InputError('estimateTokens', 'expected to give a number of at least 0');
  }
  return {
    request,
    prompt,
    model,
    detail,
    maxOutputTokens,
    schema,
    ...parameters,
    group: packGroup({ model, detail, maxOutputTokens, prompt, schema, scope, ...parameters }),
    imageTokens,
    ...imageOf(request, defaults),
    spent: undefined,
  };
}

/** Equal for images that may share a request. */
export function packGroup(
  item: Pick<
    VisionItem,
    'model' | 'detail' | 'maxOutputTokens' | 'prompt' | 'schema' | 'scope' | keyof VisionParameters
  >,
): string {
  const { model, detail, maxOutputTokens, prompt, schema, scope = '' } = item;
  const { system, temperature, reasoningEffort, extraBody } = item;
  const isModelsOwn = (system ?? temperature ?? reasoningEffort ?? extraBody) === undefined;
  const shared = isModelsOwn ? undefined : canonicalJson([system, temperature, reasoningEffort, extraBody]);
  return JSON.stringify([model, detail, maxOutputTokens, prompt, schemaKey(schema), scope, shared]);
}

function checkParameters({ system, temperature, reasoningEffort, extraBody }: VisionParameters): void {
  if (system !== undefined && (typeof system !== 'string' || system.trim() === '')) {
    throw new InputError('system', 'expected some text');
  }
  if (temperature !== undefined && !(temperature >= 0 && temperature <= 2)) {
    throw new InputError('temperature', 'expected a number from 0 to 2');
  }
  if (reasoningEffort !== undefined && !REASONING_EFFORTS.includes(reasoningEffort)) {
    throw new InputError('reasoningEffort', `expected one of ${REASONING_EFFORTS.join(', ')}`);
  }
  const [issue] = extraBodyCheck()(extraBody, 'extraBody');
  if (issue !== undefined) throw new InputError(issue.option, `expected ${issue.expected}`);
}

function checkSchema({ name, jsonSchema }: NonNullable<VisionRequest['schema']>): void {
  if (typeof name !== 'string' || !/^[\w-]{1,64}$/.test(name)) {
    throw new InputError('schema.name', 'expected letters, digits, _ and -, at most 64');
  }
  if (typeof jsonSchema !== 'object' || jsonSchema === null) {
    throw new InputError('schema.jsonSchema', 'expected a JSON Schema');
  }
}

/** A schema is an object that many requests share: it is written out once. */
const schemaKeys = new WeakMap<object, string>();

function schemaKey(schema: VisionRequest['schema']): string | null {
  if (schema === undefined) return null;
  const { name, jsonSchema } = schema;
  let json = schemaKeys.get(jsonSchema);
  if (json === undefined) {
    json = JSON.stringify(jsonSchema);
    schemaKeys.set(jsonSchema, json);
  }
  return `${name}:${json}`;
}

function imageOf(
  { imageUrl, image }: VisionRequest,
  { guard, inlineBytes }: Pick<VisionDefaults, 'guard' | 'inlineBytes'>,
): Pick<VisionItem, 'imageBytes' | 'url'> {
  if ((imageUrl === undefined) === (image === undefined)) {
    throw new InputError('imageUrl', 'expected exactly one of imageUrl and image');
  }
  if (image !== undefined) {
    if (!(image instanceof Uint8Array)) throw new InputError('image', 'expected bytes');
    const mediaType = mediaTypeOf(image);
    const imageBytes = dataUrlLength(image.byteLength);
    if (inlineBytes) {
      // The client's types know only the text that it stands for.
      const inline = new InlineBytes(image, mediaType) as unknown as string;
      return { imageBytes, url: async () => inline };
    }
    let encoded: string | undefined;
    const url = async (signal: AbortSignal) => {
      encoded ??= await encodeDataUrl(image, mediaType, { signal });
      return encoded;
    };
    return { imageBytes, url };
  }
  const text = String(imageUrl);
  if (!/^(https?:\/\/|data:image\/)/i.test(text)) {
    throw new InputError(
      'imageUrl',
      `must be an http or https URL, or a data URL of an image; got ${imageTextOf(text).kind}. Pass bytes as \`image\`.`,
    );
  }
  if (/^http/i.test(text)) checkAddress(text, guard);
  return { imageBytes: text.length, url: async () => text };
}

/** Checks an address without a request or a look-up, before it is passed on to the API. */
function checkAddress(text: string, guard: AddressGuard | undefined): void {
  if (!URL.canParse(text)) throw new InputError('imageUrl', 'expected an http or https address');
  const { username, password } = new URL(text);
  // They would be passed on to the API.
  if (username !== '' || password !== '') throw hasCredentials('imageUrl');
  guard?.checkUrl(text);
}

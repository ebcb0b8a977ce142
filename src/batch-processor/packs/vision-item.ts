import { InputError } from '../../errors/input-error.ts';
import { encodeDataUrl } from '../../http/encoding/encode-base64.ts';
import { InlineBytes } from '../../http/encoding/encode-json.ts';
import { type AddressGuard, hasCredentials } from '../../http/guard/address-guard.ts';
import { ignoreRejection } from '../../internal/async/user-callback.ts';
import { canonicalJson, extraBodyCheck } from '../../internal/options/extra-body.ts';
import { imageTextOf, imageValueOf } from '../../internal/options/image-value.ts';
import {
  check,
  describeKind,
  finiteNumber,
  integer,
  type OptionCheck,
  oneOf,
  secret,
  text,
  wrongInput,
} from '../../internal/options/option-checks.ts';
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
  /** Decides which hosts of addresses are allowed; without it the sender does. */
  readonly guard: AddressGuard | undefined;
}

/** In the order in which they are checked; the first wrong field is reported. */
const FIELD_CHECKS: readonly (readonly [keyof VisionRequest, OptionCheck])[] = [
  ['prompt', secret()],
  ['model', check('a name', (model) => typeof model === 'string' && model !== '')],
  ['detail', oneOf('low', 'high', 'auto')],
  ['maxOutputTokens', integer({ min: 1 })],
  ['scope', text()],
  ['system', secret()],
  ['temperature', finiteNumber({ min: 0, max: 2 })],
  ['reasoningEffort', oneOf(...REASONING_EFFORTS)],
  ['extraBody', extraBodyCheck()],
];

/**
 * Checks a request and fills in its defaults; nothing is loaded or encoded yet.
 * @throws `DESCRIBE_INPUT_INVALID` that names the wrong field, `DESCRIBE_IMAGE_UNSUPPORTED` by the first bytes.
 * @throws `DESCRIBE_IMAGE_FORBIDDEN` for credentials in an address or a host that may not be used.
 */
export function visionItem(request: VisionRequest, defaults: VisionDefaults): VisionItem {
  const { prompt = defaults.prompt, model = defaults.model, detail = defaults.detail, schema, scope } = request;
  const { maxOutputTokens = defaults.maxOutputTokens, system, temperature, reasoningEffort, extraBody } = request;
  for (const [field, check] of FIELD_CHECKS) {
    const [issue] = check(request[field], field);
    if (issue !== undefined) throw new InputError(issue.option, `expected ${issue.expected}, got ${issue.got}`);
  }
  if (schema !== undefined) checkSchema(schema);
  const parameters = { system, temperature, reasoningEffort, extraBody };
  const imageTokens = defaults.estimateTokens(request);
  if (!(imageTokens >= 0)) {
    ignoreRejection(imageTokens);
    throw wrongInput('estimateTokens', 'to give a number of at least 0', imageTokens);
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

/** A key that is equal for images that may share a request. */
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

function checkSchema({ name, jsonSchema }: NonNullable<VisionRequest['schema']>): void {
  if (typeof name !== 'string' || !/^[\w-]{1,64}$/.test(name)) {
    throw wrongInput('schema.name', 'at most 64 letters, digits, _ and -', name);
  }
  if (typeof jsonSchema !== 'object' || jsonSchema === null) {
    throw wrongInput('schema.jsonSchema', 'a JSON Schema', jsonSchema, describeKind);
  }
}

/** Many requests share one schema object, so its JSON is written once. */
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
    const got = image === undefined ? 'neither' : 'both';
    throw new InputError('imageUrl', `expected exactly one of imageUrl and image, got ${got}`);
  }
  if (image !== undefined) {
    if (!(image instanceof Uint8Array)) throw wrongInput('image', 'bytes', image, () => imageValueOf(image).kind);
    const mediaType = mediaTypeOf(image);
    const imageBytes = dataUrlLength(image.byteLength);
    if (inlineBytes) {
      // The client's types know only the data URL that this object stands for.
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
  const address = String(imageUrl);
  if (!/^(https?:\/\/|data:image\/)/i.test(address)) {
    const { kind } = imageTextOf(address);
    throw new InputError(
      'imageUrl',
      `must be an http or https URL, or a data URL of an image; got ${kind}. Pass bytes as \`image\`.`,
    );
  }
  if (/^http/i.test(address)) checkAddress(address, guard);
  return { imageBytes: address.length, url: async () => address };
}

/** Checks an address without a request or a look-up, before it is passed on to the API. */
function checkAddress(address: string, guard: AddressGuard | undefined): void {
  const url = URL.parse(address);
  if (url === null) throw new InputError('imageUrl', "expected an http or https URL, got one that can't be parsed");
  // The API would receive the credentials.
  if (url.username !== '' || url.password !== '') throw hasCredentials('imageUrl');
  guard?.checkUrl(address);
}

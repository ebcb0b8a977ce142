import type { VisionParameters } from '../../batch-processor/index.ts';
import { BoundedMap } from '../../internal/collections/bounded-map.ts';
import { hashText } from '../../internal/hash-text.ts';
import { answeringFields, canonicalJson } from '../../internal/options/extra-body.ts';
import { generateKey } from '../../redis-cache/index.ts';
import { addressOf, type EndpointDescription } from '../options/endpoint-options.ts';
import type { NormalisedRequest } from '../options/request-spec.ts';

/** Fields of a request that decide the content of its description, and the scope that owns it. */
export type KeyedRequest = Pick<
  NormalisedRequest,
  'scope' | 'model' | 'prompt' | 'detail' | 'schema' | keyof VisionParameters
>;

const MAX_MODELS = 1_000;
/** A longer text is in a key as its hash. Hashing 20 MB at once blocks the thread for a tenth of a second. */
const LONG_CHARACTERS = 64 * 1024;

/**
 * Makes the cache keys of a client. Two calls have one key when they may share a description. That is when image,
 * question, `cacheScope`, and the servers and models that may answer are the same.
 */
export class DescriptionKeys {
  readonly #endpoints: readonly Pick<EndpointDescription, 'baseURL' | 'apiVersion' | 'model' | 'extraBody'>[];
  readonly #answerers = new BoundedMap<string, string>(MAX_MODELS);

  constructor(endpoints: readonly Pick<EndpointDescription, 'baseURL' | 'apiVersion' | 'model' | 'extraBody'>[]) {
    this.#endpoints = endpoints;
  }

  /** The key of a request for the image that `identity` names. A rejection is the signal's reason. */
  async keyOf(identity: string, request: KeyedRequest, signal?: AbortSignal): Promise<string> {
    const short = this.keyAtOnce(identity, request);
    if (short !== undefined) return short;
    const { prompt, system } = request;
    const rest = this.#keyOfShort(identity, { ...request, prompt: '', system: undefined });
    const names = [await hashText(prompt, signal), system && (await hashText(system, signal))];
    return generateKey('long description', rest, names);
  }

  /** The same without a wait. Undefined where hashing a long text would block the thread. */
  keyAtOnce(identity: string, request: KeyedRequest): string | undefined {
    const { prompt, system = '' } = request;
    const isLong = prompt.length > LONG_CHARACTERS || system.length > LONG_CHARACTERS;
    return isLong ? undefined : this.#keyOfShort(identity, request);
  }

  /** Every field that changes the answer belongs in this one list. */
  #keyOfShort(identity: string, request: KeyedRequest): string {
    const { scope, model, prompt, detail, schema, system, temperature, reasoningEffort } = request;
    const extraBody = request.extraBody && answeringFields(request.extraBody);
    const isModelsOwn = (system ?? temperature ?? reasoningEffort ?? extraBody) === undefined;
    const answerers = this.#answerersOf(model);
    return generateKey(
      'description',
      scope,
      answerers,
      identity,
      prompt,
      detail,
      schema?.name,
      schema?.jsonSchema,
      isModelsOwn ? undefined : canonicalJson([system, temperature, reasoningEffort, extraBody]),
    );
  }

  /**
   * Names all servers that may answer, each with its model and extra fields. Keys of the API, weights and order make no
   * difference.
   */
  #answerersOf(model: string): string {
    return this.#answerers.getOrCreate(model, () => {
      const pairs = this.#endpoints.map((endpoint) =>
        canonicalJson([addressOf(endpoint), endpoint.model ?? model, answeringFields(endpoint.extraBody)]),
      );
      return generateKey([...new Set(pairs)].sort());
    });
  }
}

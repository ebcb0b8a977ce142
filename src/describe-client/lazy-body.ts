import { type EncodedRequest, encodeRequest } from '../openai/encode-request.ts';

/** The body of a call, encoded when it is first sent, once for all attempts at endpoints with the same model. */
export class LazyBody {
  readonly #request: { readonly model: string };
  readonly #signal: AbortSignal;
  #model: string | undefined;
  #encoded: Promise<EncodedRequest> | undefined;

  constructor(request: { readonly model: string }, signal: AbortSignal) {
    this.#request = request;
    this.#signal = signal;
  }

  /** @throws the signal's reason when it aborts. */
  encodedFor(model: string): Promise<EncodedRequest> {
    if (this.#encoded === undefined || this.#model !== model) {
      this.#model = model;
      const request = model === this.#request.model ? this.#request : { ...this.#request, model };
      this.#encoded = encodeRequest(request, { signal: this.#signal });
    }
    return this.#encoded;
  }
}

import type { ChatCompletionCreateParamsNonStreaming } from 'openai/resources/chat/completions';
import { type EncodedRequest, encodeRequest } from '../../openai/exchange/encode-request.ts';
import type { EndpointDialect, RequestForm } from '../../openai/exchange/request-dialect.ts';

/** The body of a call, encoded when it is first sent, once for all attempts that write it alike. */
export class LazyBody {
  readonly #request: ChatCompletionCreateParamsNonStreaming;
  readonly #signal: AbortSignal;
  #key: string | undefined;
  #encoded: Promise<EncodedRequest> | undefined;

  constructor(request: ChatCompletionCreateParamsNonStreaming, signal: AbortSignal) {
    this.#request = request;
    this.#signal = signal;
  }

  /** @throws the signal's reason when it aborts. */
  encodedAs(form: RequestForm, dialect: EndpointDialect): Promise<EncodedRequest> {
    if (this.#encoded === undefined || this.#key !== form.key) {
      this.#key = form.key;
      this.#encoded = encodeRequest(dialect.write(this.#request, form), { signal: this.#signal });
    }
    return this.#encoded;
  }
}

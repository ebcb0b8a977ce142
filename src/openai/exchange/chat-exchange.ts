import type OpenAI from 'openai';
import type { ChatCompletion, ChatCompletionCreateParamsNonStreaming } from 'openai/resources/chat/completions';
import { headerList, isStreamed, pathOn } from '../../http/connection/connection-fetch.ts';
import type { HttpConnection } from '../../http/connection/http-connection.ts';
import type { HttpAnswer, HttpRequest } from '../../http/connection/http-message.ts';
import { ThinHeaders } from '../../http/connection/thin-headers.ts';
import { textOfBytes } from '../../http/encoding/text-of-bytes.ts';
import { chatCompletionIn } from '../../internal/upstream/chat-body.ts';
import { builtWith, type ConnectionKey } from '../pool/api-key.ts';
import type { EncodedRequest } from './encode-request.ts';

/** What a chat request is sent with. */
export interface ChatSending {
  readonly encoded: EncodedRequest;
  /** Sent as `X-Client-Request-Id`. */
  readonly clientRequestId: string;
  readonly signal: AbortSignal;
  /** Whether the connection may send it once more when it had died of age; a client that is not ours decides itself. */
  readonly resends: boolean;
}

export interface ChatAnswer {
  readonly completion: ChatCompletion;
  /** A `Headers`, or what reads like one. */
  readonly headers: unknown;
}

/** The classes of errors of the copy of `openai` that a connection was made with. */
type OpenAIErrors = Pick<typeof OpenAI, 'APIError' | 'APIConnectionError'>;

const exchanges = new WeakMap<OpenAI, ChatExchange>();

/** Lets `sendChat` send on a client's own connection what the client would send there. */
export function exchangeDirectly(
  client: OpenAI,
  http: HttpConnection,
  timeoutMs: number,
  errors: OpenAIErrors,
  key: ConnectionKey | undefined,
): void {
  exchanges.set(client, new ChatExchange(client, http, timeoutMs, errors, key));
}

const REQUEST_ID_HEADER = 'X-Client-Request-Id';

/**
 * Sends an encoded chat request and fails as the client does. On a connection of this package it goes there directly,
 * for half of what a call of the client takes; any other client sends it itself.
 */
export async function sendChat(
  client: OpenAI,
  request: ChatCompletionCreateParamsNonStreaming,
  sending: ChatSending,
): Promise<ChatAnswer> {
  const exchange = exchanges.get(client);
  if (exchange?.isUnaltered === true) return exchange.send(sending);
  const { encoded, clientRequestId, signal } = sending;
  const headers = { ...encoded.headers, [REQUEST_ID_HEADER]: clientRequestId };
  const { data, response } = await client.chat.completions
    .create(request, { ...encoded, headers, signal })
    .withResponse();
  const { status, headers: answerHeaders } = response;
  return {
    completion: chatCompletionIn<ChatCompletion>(data, { status, headers: answerHeaders }),
    headers: answerHeaders,
  };
}

/** What the client reads anew for each request and its user may set: a key that is renewed, for one. */
type Settings = Pick<OpenAI, 'apiKey' | 'baseURL' | 'organization' | 'project'>;

/** What all requests for one model have in common, as the client builds it: with Azure the model is in the path. */
interface Template extends Settings {
  readonly model: string | undefined;
  readonly path: string;
  readonly headers: readonly string[];
}

/** Instrumentations wrap the method of the class, before a client is made; shimmer, which most use, says so on it. */
const isWrapped = (method: object): boolean => '__wrapped' in method && method.__wrapped === true;

class ChatExchange {
  readonly #client: OpenAI;
  readonly #http: HttpConnection;
  readonly #timeoutMs: number;
  readonly #errors: OpenAIErrors;
  readonly #key: ConnectionKey | undefined;
  readonly #create: OpenAI['chat']['completions']['create'];
  /** Of the last model: a connection rarely serves two. */
  #template: Template | undefined;

  constructor(
    client: OpenAI,
    http: HttpConnection,
    timeoutMs: number,
    errors: OpenAIErrors,
    key: ConnectionKey | undefined,
  ) {
    this.#key = key;
    this.#client = client;
    this.#http = http;
    this.#timeoutMs = timeoutMs;
    this.#errors = errors;
    this.#create = client.chat.completions.create;
  }

  /**
   * Whether the client would send as it was made to: who replaced its method since, to trace calls, wants it called.
   */
  get isUnaltered(): boolean {
    return this.#client.chat.completions.create === this.#create && !isWrapped(this.#create);
  }

  async send({ encoded, clientRequestId, signal, resends }: ChatSending): Promise<ChatAnswer> {
    const known = this.#template;
    const key = this.#key === undefined ? this.#client.apiKey : await this.#key.get(signal);
    const { path, headers } =
      known !== undefined && this.#fits(known, encoded, key) ? known : await this.#build(encoded, key);
    const answer = await this.#exchange({
      method: 'POST',
      path,
      headers: [...headers, REQUEST_ID_HEADER, clientRequestId],
      body: encoded.body,
      signal,
      timeoutMs: this.#timeoutMs,
      boundsStream: true,
      resends,
    });
    const answerHeaders = new ThinHeaders(answer.headers);
    if (answer.status < 200 || answer.status > 299) {
      // The status says more than how its text broke off.
      const text = await textOf(answer).catch(() => '');
      const body = errorShape(parsed(text));
      throw this.#errors.APIError.generate(
        answer.status,
        body,
        body === undefined ? text : undefined,
        answerHeaders as unknown as Headers,
      );
    }
    const text = await textOf(answer).catch((cause) => this.#brokeOff(cause));
    const completion = chatCompletionIn<ChatCompletion>(text, {
      status: answer.status,
      headers: answerHeaders,
    });
    // Where the client puts the id of the request.
    Object.defineProperty(completion, '_request_id', { value: answerHeaders.get('x-request-id') });
    return { completion, headers: answerHeaders };
  }

  #fits(known: Template, encoded: EncodedRequest, key: string | null): boolean {
    const { baseURL, organization, project } = this.#client;
    return (
      known.model === encoded.__metadata.model &&
      known.apiKey === key &&
      known.baseURL === baseURL &&
      known.organization === organization &&
      known.project === project
    );
  }

  async #build(encoded: EncodedRequest, apiKey: string | null): Promise<Template> {
    const { baseURL, organization, project } = this.#client;
    const { req, url } = await builtWith(this.#client, this.#key, apiKey, () =>
      this.#client.buildRequest({ method: 'post', path: '/chat/completions', ...encoded }),
    );
    const { model } = encoded.__metadata;
    const path = pathOn(this.#http.origin, url);
    const headers = headerList(req.headers);
    this.#template = { model, apiKey, baseURL, organization, project, path, headers };
    return this.#template;
  }

  #exchange(request: HttpRequest): Promise<HttpAnswer> {
    return this.#http.send(request, isStreamed).catch((cause) => this.#brokeOff(cause));
  }

  #brokeOff(cause: Error): never {
    throw new this.#errors.APIConnectionError({ cause });
  }
}

/** Without a byte order mark. What is no JSON comes as a stream. */
async function textOf(answer: HttpAnswer): Promise<string> {
  if (answer.kind === 'streamed') return new Response(answer.body).text();
  return textOfBytes(answer.body);
}

/** As newer clients have it: a body that names no `error` is one, so that nothing that it says is lost. */
const errorShape = (body: object | undefined): object | undefined =>
  body === undefined || (body as { readonly error?: unknown }).error != null ? body : { error: body };

function parsed(text: string): object | undefined {
  try {
    return JSON.parse(text) ?? undefined;
  } catch {
    return undefined;
  }
}

import type OpenAI from 'openai';
import type { ChatCompletion, ChatCompletionCreateParamsNonStreaming } from 'openai/resources/chat/completions';
import { headerList, pathOn } from '../../http/connection/connection-fetch.ts';
import type { HttpConnection } from '../../http/connection/http-connection.ts';
import { isStreamed, type StreamedAnswer, textOfBytes } from '../../http/connection/http-message.ts';
import { ReadOnlyHeaders } from '../../http/connection/web-headers.ts';
import { chatCompletionIn } from '../../internal/upstream/chat-body.ts';
import type { EncodedRequest } from './encode-request.ts';

/** The means of sending a chat request. */
export interface ChatSending {
  readonly encoded: EncodedRequest;
  /** Sent as `X-Client-Request-Id`. */
  readonly clientRequestId: string;
  readonly signal: AbortSignal;
  /** Time in milliseconds after which the signal aborts at the latest. */
  readonly endsWithinMs: number;
  /**
   * Whether the connection may send the request once more after an idle connection turned out to be dead. A client that
   * is not ours decides itself.
   */
  readonly resends: boolean;
}

export interface ChatAnswer {
  readonly completion: ChatCompletion;
  /** A `Headers`, or an object that can be read like one. */
  readonly headers: unknown;
}

/** The error classes of the copy of `openai` that made a connection. */
type OpenAIErrors = Pick<typeof OpenAI, 'APIError' | 'APIConnectionError'>;

const exchanges = new WeakMap<OpenAI, ChatExchange>();

/** The key function of a connection. */
export interface RequestKey {
  get(signal?: AbortSignal): Promise<string>;
  /** Builds a request with that key. Meanwhile the client gets no other key. */
  building<Built>(key: string, build: () => Promise<Built>): Promise<Built>;
}

/** Builds a request of a client. Uses that key where a function gave it. */
export function builtWith<Built>(
  client: { apiKey: string | null },
  source: RequestKey | undefined,
  key: string | null,
  build: () => Promise<Built>,
): Promise<Built> {
  if (source === undefined || key === null) return build();
  // Some versions of the client call the function while they build, the others read its last key.
  client.apiKey = key;
  return source.building(key, build);
}

/** A client with the connection that only it uses. */
export interface ExchangeParts {
  readonly client: OpenAI;
  readonly http: HttpConnection;
  readonly timeoutMs: number;
  readonly errors: OpenAIErrors;
  /** Set where a function gives the key. */
  readonly key: RequestKey | undefined;
}

/** Lets `sendChat` send the requests of a client directly on the client's own connection. */
export function exchangeDirectly(parts: ExchangeParts): void {
  exchanges.set(parts.client, new ChatExchange(parts));
}

const REQUEST_ID_HEADER = 'X-Client-Request-Id';

/**
 * Sends an encoded chat request and fails as the client does. A connection of this package takes it directly, for half
 * the time of a call of its client. Any other client sends it itself.
 */
export function sendChat(
  client: OpenAI,
  request: ChatCompletionCreateParamsNonStreaming,
  sending: ChatSending,
): Promise<ChatAnswer> {
  const exchange = exchanges.get(client);
  return exchange !== undefined && exchange.create === client.chat.completions.create
    ? exchange.send(sending)
    : sendByClient(client, request, sending);
}

async function sendByClient(
  client: OpenAI,
  request: ChatCompletionCreateParamsNonStreaming,
  { encoded, clientRequestId, signal }: ChatSending,
): Promise<ChatAnswer> {
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

/** Settings that the client reads anew for each request, and that its user may change, such as a renewed key. */
type Settings = Pick<OpenAI, 'apiKey' | 'baseURL' | 'organization' | 'project'>;

/** The common part of all requests for one model, as the client builds it. With Azure the model is in the path. */
interface Template extends Settings {
  readonly model: string | undefined;
  readonly path: string;
  readonly headers: readonly string[];
}

/** Instrumentations wrap the method of the class before a client is made. Shimmer, which most of them use, marks it. */
const isWrapped = (method: object): boolean => '__wrapped' in method && method.__wrapped === true;

class ChatExchange {
  readonly #parts: ExchangeParts;
  /** The client's own method. Another one in its place, such as one that traces calls, has to be called. */
  readonly create: OpenAI['chat']['completions']['create'] | undefined;
  /** The template of the last model: a connection rarely serves two. */
  #template: Template | undefined;

  constructor(parts: ExchangeParts) {
    this.#parts = parts;
    const { create } = parts.client.chat.completions;
    this.create = isWrapped(create) ? undefined : create;
  }

  async send({ encoded, clientRequestId, signal, endsWithinMs, resends }: ChatSending): Promise<ChatAnswer> {
    const { client, http, timeoutMs, errors, key: source } = this.#parts;
    const key = source === undefined ? client.apiKey : await source.get(signal);
    let template = this.#template;
    if (template === undefined || !fits(template, client, encoded, key)) template = await this.#build(encoded, key);
    const request = {
      method: 'POST',
      path: template.path,
      headers: [...template.headers, REQUEST_ID_HEADER, clientRequestId],
      body: encoded.body,
      signal,
      // Without a second timer where the signal ends the call first.
      timeoutMs: timeoutMs < endsWithinMs ? timeoutMs : undefined,
      boundsStream: true,
      resends,
    };
    const breakOff = (cause: Error): never => {
      throw new errors.APIConnectionError({ cause });
    };
    const answer = await http.send(request, isStreamed).catch(breakOff);
    const { status } = answer;
    const headers = new ReadOnlyHeaders(answer.headers);
    if (status < 200 || status > 299) {
      // The status says more than the reason why the text broke off.
      const text = answer.kind === 'whole' ? textOfBytes(answer.body) : await textOf(answer).catch(() => '');
      throw statusError(errors, status, text, headers);
    }
    const text = answer.kind === 'whole' ? textOfBytes(answer.body) : await textOf(answer).catch(breakOff);
    const completion = chatCompletionIn<ChatCompletion>(text, { status, headers });
    // Where the client puts the id of the request.
    Object.defineProperty(completion, '_request_id', { value: headers.get('x-request-id') });
    return { completion, headers };
  }

  async #build(encoded: EncodedRequest, apiKey: string | null): Promise<Template> {
    const { client, http, key } = this.#parts;
    const { baseURL, organization, project } = client;
    const { req, url } = await builtWith(client, key, apiKey, () =>
      client.buildRequest({ method: 'post', path: '/chat/completions', ...encoded }),
    );
    const { model } = encoded.__metadata;
    const path = pathOn(http.origin, url);
    this.#template = { model, apiKey, baseURL, organization, project, path, headers: headerList(req.headers) };
    return this.#template;
  }
}

const fits = (known: Template, client: OpenAI, { __metadata: { model } }: EncodedRequest, key: string | null) =>
  known.model === model &&
  known.apiKey === key &&
  known.baseURL === client.baseURL &&
  known.organization === client.organization &&
  known.project === client.project;

/** The text of an answer that is not JSON, which arrives as a stream. */
const textOf = ({ body }: StreamedAnswer): Promise<string> => new Response(body).text();

/**
 * The error of a failed answer. As in newer clients, a body without `error` is the error itself, so that nothing is
 * lost.
 */
function statusError(errors: OpenAIErrors, status: number, text: string, headers: ReadOnlyHeaders): Error {
  const parsed = jsonOf(text);
  const body =
    parsed === undefined || (parsed as { readonly error?: unknown }).error != null ? parsed : { error: parsed };
  return errors.APIError.generate(status, body, parsed === undefined ? text : undefined, headers as unknown as Headers);
}

/** The object that a text holds as JSON; undefined for other text and for `null`. */
export function jsonOf(text: string): object | undefined {
  try {
    return JSON.parse(text) ?? undefined;
  } catch {
    return undefined;
  }
}

import type OpenAI from 'openai';
import type { ChatCompletion } from 'openai/resources/chat/completions';
import { headerList, pathOn } from '../../http/connection/connection-fetch.ts';
import type { HttpConnection } from '../../http/connection/http-connection.ts';
import { type HttpAnswer, isStreamed, type StreamedAnswer, textOfBytes } from '../../http/connection/http-message.ts';
import { ReadOnlyHeaders } from '../../http/connection/web-headers.ts';
import { jsonOf } from '../../internal/upstream/json-of.ts';
import { headerOf } from '../../internal/upstream/response-headers.ts';
import { chatExchange } from './chat-exchange.ts';
import type { EncodedRequest } from './encode-request.ts';
import type { ApiForm, ChatRequest, Exchange } from './exchange.ts';
import { responsesExchange } from './responses-exchange.ts';
import { type ClientStream, isEventStream, StreamReader, type StreamSink } from './stream-reader.ts';

/** The means of sending a request. */
export interface Sending {
  readonly exchange: Exchange;
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
  /** Gets the text of a streamed answer as it arrives; undefined for an answer that arrives whole. */
  readonly stream?: StreamSink | undefined;
}

export interface ApiAnswer {
  readonly completion: ChatCompletion;
  /** A `Headers`, or an object that can be read like one. */
  readonly headers: unknown;
}

/** The error classes of the copy of `openai` that made a connection. */
type OpenAIErrors = Pick<typeof OpenAI, 'APIError' | 'APIConnectionError'>;

const senders = new WeakMap<OpenAI, DirectSender>();

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

/** Lets `sendRequest` send the requests of a client directly on the client's own connection. */
export function exchangeDirectly(parts: ExchangeParts): void {
  senders.set(parts.client, new DirectSender(parts));
}

const REQUEST_ID_HEADER = 'X-Client-Request-Id';

/** Every API that may be used on a connection. */
const EXCHANGES: readonly Exchange[] = [chatExchange, responsesExchange];

export const exchangeOf = (api: ApiForm): Exchange => (api === 'responses' ? responsesExchange : chatExchange);

/**
 * Sends an encoded request and fails as the client does. A connection of this package takes it directly, for half the
 * time of a call of its client. Any other client sends it itself.
 */
export function sendRequest(client: OpenAI, request: ChatRequest, sending: Sending): Promise<ApiAnswer> {
  const sender = senders.get(client);
  return sender?.takes(sending.exchange) ? sender.send(sending) : sendByClient(client, request, sending);
}

async function sendByClient(
  client: OpenAI,
  request: ChatRequest,
  { exchange, encoded, clientRequestId, signal, stream }: Sending,
): Promise<ApiAnswer> {
  const headers = { ...encoded.headers, [REQUEST_ID_HEADER]: clientRequestId };
  // The client reads from the body only whether the answer is a stream, and sends the encoded one.
  const body = exchange.encode(request, stream !== undefined);
  const { data, response } = await exchange.create(client, body, { ...encoded, headers, signal }).withResponse();
  const head = { status: response.status, headers: response.headers };
  if (stream === undefined) return { completion: exchange.decode(data, head), headers: head.headers };
  // A server that streams nothing answers with JSON, whatever its type. The client reads none of it before its stream
  // is read. The stand-in of a test has no type.
  const type = headerOf(response.headers, 'content-type');
  if (type !== undefined && !isEventStream(type)) {
    return { completion: exchange.decode(await response.text(), head), headers: head.headers };
  }
  const completion = await new StreamReader(exchange, stream).readEvents(data as ClientStream, head);
  return { completion, headers: head.headers };
}

/** Settings that the client reads anew for each request, and that its user may change, such as a renewed key. */
type Settings = Pick<OpenAI, 'apiKey' | 'baseURL' | 'organization' | 'project'>;

/** The common part of all requests for one model, as the client builds it. With Azure the model is in the path. */
interface Template extends Settings {
  readonly exchange: Exchange;
  readonly model: string | undefined;
  readonly path: string;
  readonly headers: readonly string[];
}

/** Instrumentations wrap the method of the class before a client is made. Shimmer, which most of them use, marks it. */
const isWrapped = (method: object): boolean => '__wrapped' in method && method.__wrapped === true;

class DirectSender {
  readonly #parts: ExchangeParts;
  /**
   * The client's own methods. Another one in the place of one, such as one that traces calls, has to be called. Kept
   * when the connection is made, because a program may put its own there later.
   */
  readonly #methods = new Map<Exchange, object | undefined>();
  /** The template of the last model: a connection rarely serves two. */
  #template: Template | undefined;

  constructor(parts: ExchangeParts) {
    this.#parts = parts;
    for (const exchange of EXCHANGES) {
      const method = exchange.methodOf(parts.client);
      this.#methods.set(exchange, isWrapped(method) ? undefined : method);
    }
  }

  takes(exchange: Exchange): boolean {
    return this.#methods.get(exchange) === exchange.methodOf(this.#parts.client);
  }

  async send(sending: Sending): Promise<ApiAnswer> {
    const { exchange, encoded, clientRequestId, signal, endsWithinMs, resends, stream } = sending;
    const { client, http, timeoutMs, errors, key: source } = this.#parts;
    const key = source === undefined ? client.apiKey : await source.get(signal);
    let template = this.#template;
    if (template === undefined || !fits(template, client, sending, key)) template = await this.#build(sending, key);
    const reader = stream && new StreamReader(exchange, stream);
    const request = {
      method: 'POST',
      path: template.path,
      headers: [...template.headers, REQUEST_ID_HEADER, clientRequestId],
      body: encoded.body,
      signal,
      // Without a second timer where the signal ends the call first.
      timeoutMs: timeoutMs < endsWithinMs ? timeoutMs : undefined,
      // The sink of a stream bounds its pauses.
      boundsStream: reader === undefined,
      resends,
      takesChunks: reader?.takesChunks,
    };
    const breakOff = (cause: Error): never => {
      throw new errors.APIConnectionError({ cause });
    };
    const sent = http.send(request, isStreamed);
    if (reader !== undefined) {
      const streamed = await this.#streamed(reader, sent);
      if (streamed !== undefined) return streamed;
    }
    const answer = await sent.catch(breakOff);
    const { status } = answer;
    const headers = new ReadOnlyHeaders(answer.headers);
    if (status < 200 || status > 299) {
      // The status says more than the reason why the text broke off.
      const text = answer.kind === 'whole' ? textOfBytes(answer.body) : await textOf(answer).catch(() => '');
      throw statusError(errors, status, text, headers);
    }
    const text = answer.kind === 'whole' ? textOfBytes(answer.body) : await textOf(answer).catch(breakOff);
    return answered(exchange.decode(text, { status, headers }), headers);
  }

  /** The answer that a reader took as a stream; undefined where the server sent another one. */
  async #streamed(reader: StreamReader, sent: Promise<HttpAnswer>): Promise<ApiAnswer | undefined> {
    let broken: unknown;
    try {
      await sent;
    } catch (cause) {
      broken = new this.#parts.errors.APIConnectionError({ cause: cause as Error });
    }
    const { head } = reader;
    if (head === undefined) return undefined;
    const headers = new ReadOnlyHeaders(head.headers);
    const { status } = head;
    const completion =
      broken === undefined ? reader.completed({ status, headers }) : reader.brokenOff(broken, { status, headers });
    return answered(completion, headers);
  }

  async #build({ exchange, encoded }: Sending, apiKey: string | null): Promise<Template> {
    const { client, http, key } = this.#parts;
    const { baseURL, organization, project } = client;
    const { req, url } = await builtWith(client, key, apiKey, () =>
      client.buildRequest({ method: 'post', path: exchange.path, ...encoded }),
    );
    const { model } = encoded.__metadata;
    const path = pathOn(http.origin, url);
    const headers = headerList(req.headers);
    this.#template = { exchange, model, apiKey, baseURL, organization, project, path, headers };
    return this.#template;
  }
}

const fits = (known: Template, client: OpenAI, { exchange, encoded }: Sending, key: string | null) =>
  known.exchange === exchange &&
  known.model === encoded.__metadata.model &&
  known.apiKey === key &&
  known.baseURL === client.baseURL &&
  known.organization === client.organization &&
  known.project === client.project;

/** Puts the id of the request where the client puts it. */
function answered(completion: ChatCompletion, headers: ReadOnlyHeaders): ApiAnswer {
  Object.defineProperty(completion, '_request_id', { value: headers.get('x-request-id') });
  return { completion, headers };
}

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

import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { ClosedError } from '../../errors/index.ts';
import { Deferred } from '../../internal/async/deferred.ts';
import { milliseconds, type OptionChecks, settingsOf } from '../../internal/options/option-checks.ts';
import { withDefault } from '../../internal/options/option-spec.ts';
import { BODY_AT_ONCE_BYTES, bodyPieces } from '../encoding/body-pieces.ts';
import { StreamedBody } from '../encoding/request-body.ts';
import { createRoute, type Route } from './dispatcher.ts';
import { type CallConnection, HttpCall } from './http-call.ts';
import type { HttpAnswer, HttpRequest, StreamDecision, WholeAnswer } from './http-message.ts';
import { TRANSPORT_SPEC, type TransportOptions } from './transport-options.ts';

interface ConnectionLimits extends TransportOptions {
  /**
   * How long an idle socket is kept, in milliseconds, unless the server announces a shorter time.
   * @defaultValue 60_000
   */
  readonly keepAliveMs?: number | undefined;
  /** Longest pause of a streamed answer, in milliseconds. @defaultValue 60_000 */
  readonly streamIdleTimeoutMs?: number | undefined;
}

export interface HttpConnectionOptions extends ConnectionLimits {
  /** Scheme, host and port. */
  readonly origin: string;
  /** Counts kept together with other connections. */
  readonly counters?: ConnectionCounters | undefined;
  /** Called when the socket was closed or reset while nothing was in flight on it, unless the server announced that. */
  readonly lost?: (() => void) | undefined;
}

const LIMITS_SPEC = {
  ...TRANSPORT_SPEC,
  keepAliveMs: withDefault(milliseconds(), 60_000),
  streamIdleTimeoutMs: withDefault(milliseconds(), 60_000),
} satisfies OptionChecks<ConnectionLimits>;

/** Counts of the connections of one owner. */
export class ConnectionCounters {
  /** Sockets opened. */
  opened = 0;
  /** Requests sent. */
  requests = 0;
  /** Requests sent a second time because a kept-alive socket had died before any byte of an answer. */
  resent = 0;
  /** Requests that failed without an answer. */
  failed = 0;
}

/** undici's code when it closes a socket itself: after `Connection: close`, or at the end of the keep-alive time. */
const AGREED_END = 'UND_ERR_INFO';

/** One keep-alive connection to one origin. It opens with its first request and opens again after it was lost. */
export class HttpConnection {
  readonly origin: string;
  readonly #route: Route;
  readonly #counters: ConnectionCounters;
  /** The part of the connection that its calls use. */
  readonly #forCalls: CallConnection;
  #inFlight = 0;
  #open = false;
  #failed = false;
  #ended = false;
  #quiet: Deferred<void> | undefined;
  #socket: Socket | undefined;
  /** Whether no caller waits for the request in flight. */
  #background = false;

  /** Loads undici at its first call. Opens no socket yet. */
  static async create(options: HttpConnectionOptions): Promise<HttpConnection> {
    const settings = settingsOf<ConnectionLimits, typeof LIMITS_SPEC>(options, LIMITS_SPEC);
    let connection: HttpConnection | undefined;
    const route = await createRoute({
      ...settings,
      origin: options.origin,
      onSocket: (socket) => {
        if (connection !== undefined) connection.#useSocket(socket);
      },
    });
    connection = new HttpConnection(route, options, settings);
    return connection;
  }

  private constructor(
    route: Route,
    { origin, counters = new ConnectionCounters(), lost }: HttpConnectionOptions,
    settings: Pick<CallConnection, 'clock' | 'maxResponseBytes' | 'streamIdleTimeoutMs'>,
  ) {
    this.origin = origin;
    this.#route = route;
    this.#counters = counters;
    this.#forCalls = {
      ...settings,
      answersOnSocket: 0,
      resend: (call) => {
        this.#counters.resent += 1;
        this.#dispatch(call);
      },
      failed: () => {
        this.#failed = true;
        this.#counters.failed += 1;
      },
      unsent: () => {
        if (!this.#open) this.#failed = true;
      },
      ended: (isWhole) => {
        if (isWhole) this.#forCalls.answersOnSocket += 1;
        this.#inFlight -= 1;
        if (this.#inFlight > 0 || this.#quiet === undefined) return;
        this.#quiet.resolve();
        this.#quiet = undefined;
      },
    };
    route.dispatcher.on('connect', () => {
      this.#counters.opened += 1;
      this.#forCalls.answersOnSocket = 0;
      this.#open = true;
    });
    route.dispatcher.on('disconnect', (_origin, _targets, error) => {
      this.#open = false;
      if (this.#inFlight > 0 || this.#ended || (error as { readonly code?: unknown }).code === AGREED_END) return;
      lost?.();
    });
  }

  /** Exchanges whose answer has not ended. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /**
   * Whether a request failed without an answer: connection refused, reset, name not found, bad certificate. Also true
   * when a caller gave up before the connection was open, because the next call would wait for the same.
   */
  get failed(): boolean {
    return this.#failed;
  }

  /**
   * Sends a request and resolves with its whole answer, or with its headers where `streams` says so.
   * @throws `DESCRIBE_TIMEOUT` after `timeoutMs`, `DESCRIBE_RESPONSE_INVALID` for an answer above `maxResponseBytes`,
   * `DESCRIBE_CLOSED` after `destroy()`, the signal's reason, or the socket's own error.
   */
  send(request: HttpRequest): Promise<WholeAnswer>;
  send(request: HttpRequest, streams: StreamDecision): Promise<HttpAnswer>;
  send(request: HttpRequest, streams?: StreamDecision): Promise<HttpAnswer> {
    if (this.#ended) return Promise.reject(new ClosedError('the connection'));
    if (request.signal?.aborted) {
      if (request.body instanceof StreamedBody) request.body.cancel(request.signal.reason);
      return Promise.reject(request.signal.reason);
    }
    this.#inFlight += 1;
    this.#counters.requests += 1;
    this.#background = request.background === true;
    return new Promise<HttpAnswer>((resolve, reject) => {
      this.#dispatch(new HttpCall(request, this.#forCalls, streams, resolve, reject));
    });
  }

  /** Resolves when no exchange is in flight; undefined when none is. */
  whenQuiet(): Promise<void> | undefined {
    if (this.#inFlight === 0) return undefined;
    this.#quiet ??= new Deferred<void>();
    return this.#quiet.promise;
  }

  /** Ends the connection and every exchange in flight on it. */
  async destroy(): Promise<void> {
    this.#ended = true;
    const closed = new ClosedError('the connection');
    await this.#route.dispatcher.destroy(closed);
    // A socket that is still connecting would hold the process until it is connected.
    this.#socket?.destroy(closed);
  }

  #useSocket(socket: Socket): void {
    this.#socket = socket;
    if (this.#background) socket.unref();
  }

  #dispatch(call: HttpCall): void {
    const { origin } = this;
    const { dispatcher, pathPrefix, headers: routed } = this.#route;
    const { method, path: ownPath, headers: own, body } = call.request;
    const isStreamed = body instanceof StreamedBody;
    const isHeld = body === undefined || (!isStreamed && body.byteLength <= BODY_AT_ONCE_BYTES);
    const headers = routed.length === 0 ? (own as string[]) : routedHeaders(own, routed);
    const path = pathPrefix + ownPath;
    if (isHeld) {
      dispatcher.dispatch({ origin, path, method, headers, body: body ?? null }, call);
    } else {
      const { byteLength } = body;
      const sized = byteLength === undefined ? headers : [...headers, 'content-length', String(byteLength)];
      // undici takes an iterable, which its types lack. It writes a piece when the socket has taken the one before.
      const pieces = (isStreamed ? body.pieces() : bodyPieces(body)) as unknown as Readable;
      dispatcher.dispatch({ origin, path, method, headers: sized, body: pieces }, call);
    }
    // With undici, a socket keeps the process alive from the sending of a request to the end of its answer.
    if (this.#background) this.#socket?.unref();
  }
}

/** Adds the headers that the proxy needs. A `Host` header that is given already stays. */
function routedHeaders(own: readonly string[], routed: readonly string[]): string[] {
  const names = new Set(own.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase()));
  const added = routed.filter((_, index) => !names.has(routed[index - (index % 2)] ?? ''));
  return [...own, ...added];
}

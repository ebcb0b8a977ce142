import type { ApiErrorCode } from './error-table.ts';
import type { Latency } from './latency.ts';

/** The requests that a rule is about. Every given condition must hold; without a condition, every request matches. */
export interface FaultMatch {
  /**
   * Numbers of the requests, from 1, counted from the start or the last `reset()`: calls of chat and responses
   * together, those of models apart. One number, a list, or a range (both ends inclusive; `every: 3` takes each third
   * of it).
   */
  readonly requests?:
    | number
    | readonly number[]
    | { readonly from?: number; readonly to?: number; readonly every?: number };
  /** Requests with this API key. */
  readonly apiKey?: string;
  /**
   * Requests with an image whose hash (of `readImageFacts`) is this, or one of these. The beginning of a hash is
   * enough.
   */
  readonly imageHash?: string | readonly string[];
  /** Requests that name this model. */
  readonly model?: string;
  /** @defaultValue `'chat'` and `'responses'` */
  readonly endpoint?: 'chat' | 'responses' | 'models';
  /** Streaming requests only, or others only. @defaultValue both */
  readonly stream?: boolean;
  /** Share of the matching requests that get the fault, 0 to 1. @defaultValue 1 */
  readonly probability?: number;
  /**
   * The key of the draw. `'request'` draws for each request number: a retry may succeed. `'image'` draws for the first
   * image: the same image always has the same outcome.
   * @defaultValue 'request'
   */
  readonly drawPer?: 'request' | 'image';
}

/** The form of the wait. `'both'` sends seconds and milliseconds, as the API does. */
export interface RetryAfter {
  readonly form: 'seconds' | 'milliseconds' | 'http-date' | 'both';
  /** The wait; seconds and dates are rounded up to whole seconds. */
  readonly ms: number;
}

/** Where an answer breaks off. */
interface CutPosition {
  /** Share of the events or bytes that is sent, and half of a stream's next event. @defaultValue 0.5 */
  readonly afterRatio?: number;
  /** Number of whole events of a stream that are sent, without any byte of the next one; wins over `afterRatio`. */
  readonly afterEvents?: number;
}

/** Where an answer breaks off, to the byte. */
interface BytePosition extends CutPosition {
  /** Bytes of the body that come, which may end within a character; wins over the others. */
  readonly afterBytes?: number;
}

/** Ways to write an answer. All but `usage` and `unknown` are about streams. */
export interface Quirk {
  readonly kind: 'quirk';
  /** A comment (`: ping`) before each event, as servers send them to keep a connection alive. @defaultValue false */
  readonly keepAlive?: boolean;
  /** @defaultValue 'lf' */
  readonly lineEnd?: 'lf' | 'crlf';
  /**
   * Size of a write: all events, one event, or so many bytes. With 1, each cut falls somewhere within a
   * character, a line end or a field. @defaultValue all events; one with `streamDelayMs`
   */
  readonly writes?: 'joined' | 'events' | number;
  /** Whether chat's stream ends with `[DONE]`; that of Responses never does. @defaultValue true */
  readonly done?: boolean;
  /** Whether the answer reports its usage, which is billed anyway. @defaultValue true */
  readonly usage?: boolean;
  /**
   * Fields, events and output items that no client knows, and in chat a chunk without choices, between the usual ones.
   * @defaultValue false
   */
  readonly unknown?: boolean;
}

/** A failure that the server produces, or an unusual form of its answer. */
export type Fault =
  | {
      /**
       * An error answer with the API's body. Give a code of the table, a status, or both; 200 is an error in an answer.
       */
      readonly kind: 'error';
      readonly code?: ApiErrorCode | (string & {});
      readonly status?: number;
      readonly retryAfter?: RetryAfter;
      /** Further headers, such as `x-should-retry`; they win over the usual ones. */
      readonly headers?: Readonly<Record<string, string>>;
      /** A body to send as it is, such as a gateway's HTML. @defaultValue the API's error JSON; HTML for 502 and 504 */
      readonly body?: string;
    }
  /** A slow answer; adds to the server's own latency and to that of other matching rules. */
  | { readonly kind: 'latency'; readonly latency: Latency }
  /** The request is read and never answered. */
  | { readonly kind: 'hang' }
  /** Headers and the start of the body are sent, then nothing more. */
  | ({ readonly kind: 'stall' } & BytePosition)
  /** The connection is reset: before any byte of the answer, or in the middle of its body. */
  | ({ readonly kind: 'reset'; readonly at: 'before-answer' | 'mid-body' } & BytePosition)
  /** A stream that ends with an error event after a part of its events; other answers are left whole. */
  | ({
      readonly kind: 'stream-error';
      readonly code?: ApiErrorCode | (string & {});
      readonly status?: number;
    } & CutPosition)
  /** The answer ends early, and well-formed as HTTP: the body's JSON is cut, or only the model's own text. */
  | ({ readonly kind: 'truncate'; readonly where?: 'body' | 'content' } & BytePosition)
  /** JSON of another shape: as the body, or as the model's own text. */
  | { readonly kind: 'wrong-json'; readonly where?: 'body' | 'content'; readonly json?: unknown }
  /** A 200 whose message is a refusal. */
  | { readonly kind: 'refusal'; readonly text?: string }
  /**
   * A 200 that stopped for that reason, with this text, such as an empty one. The last two reasons are those of the
   * Responses API (where `length` is `max_output_tokens`); chat sends them as words that no client knows.
   * @defaultValue half of the text
   */
  | {
      readonly kind: 'finish';
      readonly reason: 'stop' | 'length' | 'content_filter' | 'max_messages' | 'steered';
      readonly text?: string;
    }
  /** So many hidden tokens before the answer, whatever the model and its effort; they count against its limit. */
  | { readonly kind: 'reasoning'; readonly tokens: number }
  /**
   * A 200 of the Responses API with this status and no answer. A stream breaks off after half of its deltas: a failed
   * one with `response.failed`, another without any last event. In chat, `failed` is an `error` inside a 200, or the
   * last event of the stream; the other statuses leave chat's answers whole.
   */
  | {
      readonly kind: 'status';
      readonly status: 'failed' | 'cancelled' | 'in_progress' | 'queued';
      /** Code of the error of a failed one. @defaultValue 'server_error' */
      readonly code?: ApiErrorCode | 'server_error' | (string & {});
    }
  /**
   * The same answer in a form of some servers, which a client must read alike. It is applied beside any other fault.
   */
  | Quirk
  /** A structured answer whose items are wrong: `count` of them. Other answers are left whole. */
  | {
      readonly kind: 'items';
      readonly change: 'missing' | 'duplicated' | 'reordered' | 'invented';
      /** Items that are missing, duplicated or invented. @defaultValue 1 */
      readonly count?: number;
    }
  /** The answer is complete, with these headers over its own, such as the limits of -1 that Azure sends. */
  | { readonly kind: 'headers'; readonly headers: Readonly<Record<string, string>> }
  /**
   * The answer is complete. Then the server closes the kept-alive connection: after `afterMs`, or else at the next
   * request on it, to which it answers no byte.
   */
  | { readonly kind: 'close-idle'; readonly afterMs?: number };

/** One fault, and the requests that get it. */
export interface FaultRule {
  /** @defaultValue every request */
  readonly when?: FaultMatch;
  readonly fault: Fault;
  /** Number of faults after which the rule ends. @defaultValue no end */
  readonly times?: number;
  /**
   * Whether the tokens count as billed.
   * @defaultValue true where an answer was made (also when its body breaks off), false for `error`, `hang` and `reset`
   * before an answer
   */
  readonly billed?: boolean;
}

/**
 * The faults of a server. The first matching rule is applied, and beside it all rules of latency and quirks. Latencies
 * add up. Of two quirks, the later wins where they differ.
 * A plan and a seed always do the same to the same request numbers, whatever the timing.
 *
 * @example
 * ```ts
 * import type { FaultPlan } from '@describe-it/sdk/testing';
 *
 * const plan: FaultPlan = {
 *   seed: 42,
 *   rules: [
 *     { when: { probability: 0.05 }, fault: { kind: 'error', status: 500 } },
 *     { when: { requests: 3 }, fault: { kind: 'hang' } },
 *   ],
 * };
 * ```
 */
export interface FaultPlan {
  /** @defaultValue the server's seed */
  readonly seed?: number;
  readonly rules: readonly FaultRule[];
}

import type { ChatCompletion } from 'openai/resources/chat/completions';
import type { StreamDecoder } from './exchange.ts';
import { contentOf, isResponse, neutralCompletion, type ResponseObject } from './response-object.ts';

interface ResponseEvent {
  readonly type?: unknown;
  readonly object?: unknown;
  readonly response?: ResponseObject;
  readonly item?: { readonly phase?: unknown } | null;
  readonly output_index?: unknown;
  readonly delta?: unknown;
  readonly error?: unknown;
}

/** Joins the events of a streamed response. Events of unknown types are skipped, because the API adds new ones. */
export class ResponseEvents implements StreamDecoder {
  #text = '';
  #refusal = '';
  #first: ResponseObject | undefined;
  #last: ResponseObject | undefined;
  #error: unknown;
  /** Positions of the messages that are no part of the answer. */
  readonly #commentary = new Set<unknown>();

  get isComplete(): boolean {
    return this.#last !== undefined || this.isFailed;
  }

  get isFailed(): boolean {
    return this.#error !== undefined;
  }

  get isOver(): boolean {
    return this.isComplete;
  }

  get goesOn(): boolean {
    return false;
  }

  take(event: ResponseEvent, name: string): string {
    if (this.isComplete) return '';
    const { type = name, object, response, delta, error } = event;
    switch (type) {
      case 'response.output_text.delta':
        return this.#commentary.has(event.output_index) ? '' : this.#addText(delta);
      case 'response.refusal.delta':
        if (typeof delta === 'string') this.#refusal += delta;
        return '';
      case 'response.output_item.added':
        if (event.item?.phase === 'commentary') this.#commentary.add(event.output_index);
        return '';
      case 'response.completed':
      case 'response.incomplete':
      case 'response.failed':
        return this.#end(response ?? { status: type.slice('response.'.length) });
      case 'error':
        this.#error = error ?? event;
        return '';
      default:
        this.#first ??= response;
        // A server may send all of it as one event, or an error without a type.
        if (isResponse(event)) return this.#end(event);
        if (error != null || object === 'error') this.#error = error ?? event;
        return '';
    }
  }

  completion(): ChatCompletion {
    // Without its last event, no answer has ended well.
    const response = this.#last ?? { ...this.#first, status: 'incomplete' };
    return neutralCompletion(response, {
      text: this.#text,
      ...(this.#refusal === '' ? {} : { refusal: this.#refusal }),
      ...(this.isFailed ? { error: this.#error } : {}),
    });
  }

  #end(response: ResponseObject): string {
    this.#last = response;
    // Some servers send no deltas.
    return this.#text === '' ? this.#addText(contentOf(response.output).text) : '';
  }

  #addText(text: unknown): string {
    if (typeof text !== 'string') return '';
    this.#text += text;
    return text;
  }
}

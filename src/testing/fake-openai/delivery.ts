import type { ServerResponse } from 'node:http';
import type { ApiErrorBody } from './api-error.ts';
import { lookUpError } from './error-table.ts';
import type { Fault } from './fault-plan.ts';
import { nextTurn, realPause } from './real-timers.ts';

/** An answer on its way: one body, or the events of a stream. */
export type Payload =
  | { readonly type: 'body'; readonly text: string; readonly contentType: string }
  | {
      readonly type: 'stream';
      readonly events: Iterable<string>;
      /** How this stream tells an error. */
      readonly errorEvent: (error: ApiErrorBody) => string;
    };

/** A body of JSON. */
export const jsonPayload = (value: object): Payload => ({
  type: 'body',
  text: JSON.stringify(value),
  contentType: 'application/json',
});

/** Faults that change how an answer is sent. */
export type DeliveryFault = Extract<Fault, { kind: 'stall' | 'reset' | 'stream-error' | 'truncate' | 'wrong-json' }>;

export interface DeliveryOptions {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly fault?: DeliveryFault | undefined;
  /** Waits between two events of a stream; resolves early when the client left. */
  readonly pause?: (() => Promise<void>) | undefined;
}

/** Sends an answer, or what a fault leaves of it. Settles when there is nothing more to send. */
export async function deliver(response: ServerResponse, payload: Payload, options: DeliveryOptions): Promise<void> {
  const whole = spoil(payload, options.fault);
  if (whole.type === 'stream') await deliverStream(response, whole.events, options);
  else deliverBody(response, whole.text, whole.contentType, options);
}

function spoil(payload: Payload, fault: DeliveryFault | undefined): Payload {
  if (fault?.kind === 'stream-error' && payload.type === 'stream') {
    const events = [...payload.events];
    const kept = events.slice(0, Math.floor(events.length * cutRatio(fault)));
    return { ...payload, events: [...kept, payload.errorEvent(lookUpError(fault.code, fault.status).body)] };
  }
  if (fault?.kind !== 'wrong-json' || fault.where === 'content') return payload;
  const text = JSON.stringify(fault.json ?? { unexpected: true });
  return payload.type === 'body'
    ? { ...payload, text }
    : { ...payload, events: [`data: ${text}\n\n`, 'data: [DONE]\n\n'] };
}

function deliverBody(
  response: ServerResponse,
  text: string,
  contentType: string,
  { status, headers, fault }: DeliveryOptions,
): void {
  const cut = isCut(fault) ? cutText(text, cutRatio(fault)) : undefined;
  const sentLength = fault?.kind === 'truncate' && cut !== undefined ? cut.length : Buffer.byteLength(text);
  response.writeHead(status, {
    ...headers,
    'content-type': contentType,
    'content-length': String(sentLength),
  });
  if (isCut(fault) && cut !== undefined) sendCut(response, cut, fault);
  // As a string it leaves in one write with the headers.
  else response.end(text);
}

function cutText(text: string, share: number): Buffer {
  const body = Buffer.from(text);
  return body.subarray(0, Math.floor(body.length * share));
}

async function deliverStream(
  response: ServerResponse,
  events: Iterable<string>,
  { status, headers, fault, pause }: DeliveryOptions,
): Promise<void> {
  response.writeHead(status, {
    ...headers,
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
  });
  const all = isCut(fault) || pause !== undefined ? [...events] : [[...events].join('')];
  const last = isCut(fault) ? Math.floor(all.length * cutRatio(fault)) : all.length;
  for (const event of all.slice(0, last)) {
    response.write(event);
    await pause?.();
    if (response.destroyed) return;
  }
  const next = all[last] ?? '';
  if (isCut(fault)) sendCut(response, Buffer.from(next.slice(0, Math.floor(next.length / 2))), fault);
  else response.end();
}

const isCut = (fault: DeliveryFault | undefined): fault is DeliveryFault =>
  fault !== undefined &&
  fault.kind !== 'wrong-json' &&
  fault.kind !== 'stream-error' &&
  !(fault.kind === 'truncate' && fault.where === 'content');

const cutRatio = (fault: DeliveryFault | undefined): number =>
  fault !== undefined && 'afterRatio' in fault ? (fault.afterRatio ?? 0.5) : 0.5;

function sendCut(response: ServerResponse, part: Buffer, { kind }: DeliveryFault): void {
  if (kind === 'truncate') {
    response.end(part);
    return;
  }
  response.flushHeaders();
  response.write(part, () => {
    if (kind === 'reset') void resetLater(response);
  });
}

/**
 * A reset overtakes what the client has not read yet, and it would see no answer at all. So the part gets some time,
 * and, where the client shares this event loop, a turn of it.
 */
async function resetLater(response: ServerResponse): Promise<void> {
  await realPause(RESET_DELAY_MS);
  await nextTurn();
  response.socket?.resetAndDestroy();
}

const RESET_DELAY_MS = 25;

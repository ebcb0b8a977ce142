import type { ServerResponse } from 'node:http';
import type { ApiErrorBody } from './api-error.ts';
import { lookUpError } from './error-table.ts';
import type { Fault, Quirk } from './fault-plan.ts';
import { nextTurn, realPause } from './real-timers.ts';
import { groups, writtenAs } from './stream-quirks.ts';

/** An answer on its way: one body, or the events of a stream. */
export type Payload =
  | { readonly type: 'body'; readonly text: string; readonly contentType: string }
  | {
      readonly type: 'stream';
      readonly events: Iterable<string>;
      /** The form of an error in this stream, as the event of that number from 0. */
      readonly errorEvent: (error: ApiErrorBody, position: number) => string;
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
  readonly quirk?: Quirk | undefined;
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
    const kept = events.slice(0, keptEvents(fault, events.length));
    const { body } = lookUpError(fault.code, fault.status);
    return { ...payload, events: [...kept, payload.errorEvent(body, kept.length)] };
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
  const cut = isCut(fault) ? cutText(text, fault) : undefined;
  const sentLength = fault?.kind === 'truncate' && cut !== undefined ? cut.length : Buffer.byteLength(text);
  response.writeHead(status, {
    ...headers,
    'content-type': contentType,
    'content-length': String(sentLength),
  });
  if (isCut(fault) && cut !== undefined) sendCut(response, cut, fault);
  // A string is sent in one write with the headers.
  else response.end(text);
}

function cutText(text: string, cut: CutFault): Buffer {
  const body = Buffer.from(text);
  return body.subarray(0, cut.afterBytes ?? Math.floor(body.length * cutRatio(cut)));
}

async function deliverStream(
  response: ServerResponse,
  events: Iterable<string>,
  { status, headers, fault, quirk, pause }: DeliveryOptions,
): Promise<void> {
  response.writeHead(status, {
    ...headers,
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
  });
  const all = writtenAs(events, quirk);
  const { whole, part } = isCut(fault) ? cutEvents(all, fault) : { whole: all };
  const isBuilt = part !== undefined || pause !== undefined;
  for (const bytes of groups(whole, quirk?.writes ?? (isBuilt ? 'events' : 'joined'))) {
    response.write(bytes);
    // One write a turn: the client may get all writes of one turn as one chunk.
    if (typeof quirk?.writes === 'number') await nextTurn();
    await pause?.();
    if (response.destroyed) return;
  }
  if (isCut(fault) && part !== undefined) sendCut(response, part, fault);
  else response.end();
}

/** The events before a cut, and what comes of the next one. */
function cutEvents(events: readonly string[], cut: CutFault): { readonly whole: readonly string[]; part: Buffer } {
  if (cut.afterBytes === undefined) {
    const kept = keptEvents(cut, events.length);
    const next = cut.afterEvents === undefined ? (events[kept] ?? '') : '';
    return { whole: events.slice(0, kept), part: Buffer.from(next.slice(0, Math.floor(next.length / 2))) };
  }
  let left = cut.afterBytes;
  let kept = 0;
  while (kept < events.length && Buffer.byteLength(events[kept] ?? '') <= left) {
    left -= Buffer.byteLength(events[kept] ?? '');
    kept += 1;
  }
  return { whole: events.slice(0, kept), part: Buffer.from(events[kept] ?? '').subarray(0, left) };
}

type CutFault = Extract<DeliveryFault, { kind: 'stall' | 'reset' | 'truncate' }>;

const isCut = (fault: DeliveryFault | undefined): fault is CutFault =>
  fault !== undefined &&
  fault.kind !== 'wrong-json' &&
  fault.kind !== 'stream-error' &&
  !(fault.kind === 'truncate' && fault.where === 'content');

type Cut = Pick<CutFault, 'afterRatio' | 'afterEvents'>;

const cutRatio = ({ afterRatio = 0.5 }: Cut): number => afterRatio;

const keptEvents = (cut: Cut, events: number): number =>
  Math.min(events, cut.afterEvents ?? Math.floor(events * cutRatio(cut)));

function sendCut(response: ServerResponse, part: Buffer, { kind }: CutFault): void {
  if (kind === 'truncate') {
    response.end(part);
    return;
  }
  response.flushHeaders();
  const sent = () => {
    if (kind === 'reset') void resetLater(response);
  };
  if (part.length === 0) sent();
  else response.write(part, sent);
}

/**
 * A reset overtakes bytes that the client has not read yet, and the client would see no answer at all. So the reset
 * waits a little, and one turn of the loop, which the client may share.
 */
async function resetLater(response: ServerResponse): Promise<void> {
  await realPause(RESET_DELAY_MS);
  await nextTurn();
  response.socket?.resetAndDestroy();
}

const RESET_DELAY_MS = 25;

import { wallClockNow } from '../../internal/clock.ts';
import type { Answer } from './answer.ts';
import { chatCompletion, chatErrorEvent, chatStream, type Rendering } from './chat-answer.ts';
import { jsonPayload, type Payload } from './delivery.ts';
import type { Quirk } from './fault-plan.ts';
import { responseErrorEvent, responseObject, responseStream } from './responses-answer.ts';
import type { VisionRequest } from './vision-request.ts';

/** The answer in the terms of the API that was asked, whole or as a stream. */
export function renderAnswer(request: VisionRequest, answer: Answer, id: string, quirk: Quirk | undefined): Payload {
  const identity = { id, createdAtSeconds: Math.floor(wallClockNow() / 1000) };
  const rendering: Rendering = { request, answer, identity, quirk: quirk ?? {} };
  if (request.endpoint === 'chat') {
    if (request.stream) return { type: 'stream', events: chatStream(rendering), errorEvent: chatErrorEvent };
    const { unanswered } = answer;
    return jsonPayload(unanswered?.status === 'failed' ? { error: unanswered.error } : chatCompletion(rendering));
  }
  return request.stream
    ? { type: 'stream', events: responseStream(rendering), errorEvent: responseErrorEvent }
    : jsonPayload(responseObject(rendering));
}

import { wallClockNow } from '../../internal/clock.ts';
import type { Answer } from './answer.ts';
import { chatCompletion, chatErrorEvent, chatStream } from './chat-answer.ts';
import { jsonPayload, type Payload } from './delivery.ts';
import { responseErrorEvent, responseObject, responseStream } from './responses-answer.ts';
import type { VisionRequest } from './vision-request.ts';

/** The answer in the terms of the API that was asked, whole or as a stream. */
export function renderAnswer(request: VisionRequest, answer: Answer, id: string, store: boolean): Payload {
  const identity = { id, createdAtSeconds: Math.floor(wallClockNow() / 1000) };
  if (request.endpoint === 'chat') {
    return request.stream
      ? { type: 'stream', events: chatStream(request, answer, identity), errorEvent: chatErrorEvent }
      : jsonPayload(chatCompletion(request, answer, identity));
  }
  return request.stream
    ? {
        type: 'stream',
        events: responseStream(request, answer, identity, store),
        errorEvent: responseErrorEvent,
      }
    : jsonPayload(responseObject(request, answer, identity, store));
}

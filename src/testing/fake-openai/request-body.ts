import type { IncomingMessage } from 'node:http';
import { ApiError, invalidRequest } from './api-error.ts';
import { isJsonObject, type JsonObject } from './request-fields.ts';

/** Reads the whole body, up to a bound. Rejects when the client goes away. */
export function readBody(incoming: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    incoming.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) chunks.push(chunk);
    });
    incoming.on('end', () => {
      if (size <= maxBytes) resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks));
      else reject(tooLarge(maxBytes));
    });
    incoming.on('error', reject);
  });
}

const tooLarge = (maxBytes: number) =>
  new ApiError(413, {
    message: `The request body is larger than ${maxBytes} bytes.`,
    type: 'invalid_request_error',
    param: null,
    code: null,
  });

export function parseBody(bytes: Buffer): JsonObject {
  let body: unknown;
  try {
    body = JSON.parse(bytes.toString('utf8'));
  } catch {
    body = undefined;
  }
  if (isJsonObject(body)) return body;
  throw invalidRequest(
    "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)",
    null,
    null,
  );
}

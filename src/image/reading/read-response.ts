import { InputError } from '../../errors/index.ts';
import { startReading } from '../../http/encoding/request-body.ts';
import type { ImageResponse } from './image-source.ts';
import { type ReadLimits, readStream } from './read-stream.ts';

const EMPTY = new Uint8Array();

/**
 * Reads the body of a `Response` completely. The body of an answer without success is an error page: it is cancelled.
 *
 * @throws `DESCRIBE_INPUT_INVALID` for a status without success, which it names, and for a body that was read before.
 * Throws as `readStream` for the rest.
 */
export async function readResponse(response: ImageResponse, limits: ReadLimits): Promise<Uint8Array> {
  const { ok, status, bodyUsed, body } = response;
  const { field } = limits;
  if (bodyUsed) {
    throw new InputError(
      field,
      'must be a Response that nothing has read; got a used one. Pass it first, or its `clone()`.',
    );
  }
  if (ok) return body === null ? EMPTY : readStream(body, limits);
  if (body !== null) cancel(body);
  throw new InputError(field, `must be a Response with an image; got one with the status ${status}.`);
}

/** Frees its connection. */
function cancel(body: NonNullable<ImageResponse['body']>): void {
  try {
    startReading(body).cancel();
  } catch {
    // Another reader holds it.
  }
}

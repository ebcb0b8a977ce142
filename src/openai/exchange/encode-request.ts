import type { EncodeOptions } from '../../http/encoding/encode-base64.ts';
import { encodeJson } from '../../http/encoding/encode-json.ts';

const JSON_BODY = { 'content-type': 'application/json' } as const;

/** Request options that make an OpenAI client send a body that is bytes already. */
export interface EncodedRequest {
  readonly body: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
  /** Azure's client looks here for the deployment when it can't read the body. */
  readonly __metadata: { readonly model: string | undefined };
}

/**
 * Encodes the body of a request once, in pieces that leave the event loop free, for as many attempts as needed. An
 * `InlineBytes` in it is written as its data URL.
 *
 * Spread it into the options of the call: `client.chat.completions.create(params, { ...encoded, signal })`.
 *
 * The client still reads `stream` from `params`, and serialises none of it. Add your own headers to those of
 * `encoded.headers`.
 * @throws the signal's reason when it aborts.
 */
export function encodeRequest(
  params: { readonly model?: unknown },
  options: EncodeOptions = {},
): Promise<EncodedRequest> {
  const model = typeof params.model === 'string' ? params.model : undefined;
  return encodeJson(params, options).then((body) => ({ body, headers: JSON_BODY, __metadata: { model } }));
}

import { describe, expect, it } from 'vitest';
import { classifyFailure } from './classify-failure.ts';

const codeOf = (status: number, error: object, hasImageUrl?: boolean) =>
  classifyFailure({ status, error, headers: {} }, { hasImageUrl }).code.replace('DESCRIBE_', '');

describe('the words of an error', () => {
  it.each([
    [400, 'Your credit balance is too low to access the API.', 'QUOTA_EXHAUSTED'],
    [403, 'Insufficient balance', 'QUOTA_EXHAUSTED'],
    [403, 'This API method requires billing to be enabled.', 'QUOTA_EXHAUSTED'],
    [403, 'You do not have access to this model.', 'AUTH'],
    [400, 'API key not valid. Please pass a valid API key.', 'AUTH'],
    [400, 'The response was filtered due to the prompt triggering the content management policy.', 'REFUSED'],
    [400, 'Your request was rejected as a result of our safety system.', 'REFUSED'],
    [400, 'prompt is too long: 210000 tokens > 200000 maximum', 'CONTEXT_TOO_LONG'],
    [400, 'the request exceeds the available context size', 'CONTEXT_TOO_LONG'],
    [400, 'The image data you provided does not represent a valid image.', 'IMAGE_UNREADABLE'],
    [400, 'Could not process image', 'IMAGE_UNREADABLE'],
    [400, 'Provided image is not valid.', 'IMAGE_UNREADABLE'],
    [500, 'cannot identify image file <_io.BytesIO object>', 'IMAGE_UNREADABLE'],
    [500, 'Failed to process image: out of memory', 'UPSTREAM'],
    [400, 'This request violates our usage policies.', 'REFUSED'],
    [403, 'Request blocked by guardrail', 'REFUSED'],
    [403, 'Key limit exceeded (total limit).', 'QUOTA_EXHAUSTED'],
    [400, 'Failed to decode image', 'IMAGE_UNREADABLE'],
    [400, 'image: unknown format', 'IMAGE_UNREADABLE'],
    [400, 'You uploaded an unsupported image.', 'IMAGE_UNSUPPORTED'],
    [415, 'Unsupported media type: image/heic', 'IMAGE_UNSUPPORTED'],
    [400, 'image exceeds 5 MB maximum', 'IMAGE_TOO_LARGE'],
    [400, 'requires 40000 patches, exceeding the limit of 30000', 'IMAGE_TOO_LARGE'],
    // A model without vision, a parameter and a throttle are not faults of the image.
    [400, 'This model does not support image input.', 'UPSTREAM'],
    [400, 'image input is not supported', 'UPSTREAM'],
    [400, 'Unsupported parameter: max_tokens', 'UPSTREAM'],
    [400, 'At most 1 image(s) may be provided in one prompt.', 'UPSTREAM'],
    [400, 'The number of images exceeds the limit of 10.', 'UPSTREAM'],
    [429, 'You exceeded your current quota, please check your plan and billing details.', 'RATE_LIMITED'],
    [409, 'Incorrect API key provided', 'UPSTREAM'],
  ])('with %i, "%s" mean %s', (status, message, code) => {
    expect(codeOf(status, { message, code: null }, false)).toBe(code);
  });

  it.each([
    [400, 'Unable to fetch image from URL', 'IMAGE_FETCH_FAILED', 'UPSTREAM'],
    [400, 'invalid image input', 'IMAGE_FETCH_FAILED', 'IMAGE_UNREADABLE'],
    [400, 'Invalid image URL.', 'IMAGE_FETCH_FAILED', 'IMAGE_UNREADABLE'],
    [500, 'Cannot connect to host images.example:443', 'IMAGE_FETCH_FAILED', 'UPSTREAM'],
    [500, "HTTPSConnectionPool(host='x'): Max retries exceeded with url: /a.png", 'IMAGE_FETCH_FAILED', 'UPSTREAM'],
    [500, 'Internal server error', 'UPSTREAM', 'UPSTREAM'],
  ])('with %i, "%s" blame the address only where one was sent', (status, message, withUrl, withBytes) => {
    expect(codeOf(status, { message }, true)).toBe(withUrl);
    expect(codeOf(status, { message }, false)).toBe(withBytes);
  });

  it.each([
    'Error while downloading https://images.example/a.png. Upstream status code: 403.',
    'Image URL returned 404',
    'The URL does not appear to contain an image',
    'Unable to access the image at the given URL',
    'Image could not be loaded from url',
    'failed to get image: 403 Forbidden',
    'Unsupported image URL scheme',
    'Only base64 images are supported',
    'remote images are not supported',
    'URL sources are not supported',
    'Expected a base64-encoded data URL with an image MIME type',
    'illegal base64 data at input byte 4',
    'This URL is disallowed by the website robots.txt file',
    'HTTP error 403 while opening image',
    'HTTPError: 403 Client Error',
    '404 Client Error: Not Found for url: https://images.example/a.png',
    'Could not open image file from url',
    'failed to process image: unable to load image from URL',
    "403, message='Forbidden', url=URL('https://images.example/a')",
    'Provided image URL is not publicly accessible',
    'Request URL is missing a protocol',
  ])('blame the address that was sent: %s', (message) => {
    expect(codeOf(400, { message, code: null }, true)).toBe('IMAGE_FETCH_FAILED');
    expect(codeOf(400, { message, code: null }, false)).not.toBe('IMAGE_FETCH_FAILED');
  });

  it.each([
    'This model does not support image input.',
    'Invalid content type. image_url is only supported by certain models.',
    'Invalid URL (POST /chat/completions)',
    'Could not process image',
    'Unable to process input image. Please retry.',
    'Unsupported parameter. See https://example.com/docs for image inputs',
    'image exceeds 5 MB maximum',
  ])('do not blame the address for what is wrong with the image or the model: %s', (message) => {
    expect(codeOf(400, { message, code: null }, true)).not.toBe('IMAGE_FETCH_FAILED');
  });

  it('of a download win over the code of the filter that made it', () => {
    const error = {
      code: 'InvalidParameter.DataInspection',
      message: 'Unable to download the media resource during the data inspection process.',
    };
    expect(codeOf(400, error, true)).toBe('IMAGE_FETCH_FAILED');
    expect(codeOf(400, error, false)).toBe('REFUSED');
  });

  it.each([
    ['media_fetch_error', 'IMAGE_FETCH_FAILED'],
    ['image_url_unreachable', 'IMAGE_FETCH_FAILED'],
    ['URL_FETCH_FAILED', 'IMAGE_FETCH_FAILED'],
    ['InvalidImageURL', 'IMAGE_FETCH_FAILED'],
    ['image_parse_error', 'IMAGE_UNREADABLE'],
    ['ResponsibleAIPolicyViolation', 'REFUSED'],
    ['DataInspectionFailed', 'REFUSED'],
    ['insufficient_user_quota', 'QUOTA_EXHAUSTED'],
    ['BillingHardLimitReached', 'QUOTA_EXHAUSTED'],
    ['exceed_context_size_error', 'CONTEXT_TOO_LONG'],
    ['constructor', 'UPSTREAM'],
    ['__proto__', 'UPSTREAM'],
  ])('are asked after its code: %s', (code, expected) => {
    expect(codeOf(400, { code, message: 'x' })).toBe(expected);
  });

  it('are asked after, however a 5xx or a 403 came', () => {
    expect(codeOf(500, { code: 'sanitizer_server_error' })).toBe('IMAGE_UNREADABLE');
    expect(codeOf(403, { code: 'billing_not_active' })).toBe('QUOTA_EXHAUSTED');
    expect(codeOf(429, { code: 'content_filter' })).toBe('RATE_LIMITED');
  });
});

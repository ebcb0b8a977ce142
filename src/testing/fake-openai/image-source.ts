import { get, type IncomingMessage } from 'node:http';
import { systemClock } from '../../internal/clock.ts';
import { type ApiError, invalidRequest } from './api-error.ts';
import { type ApiErrorCode, ERROR_TABLE } from './error-table.ts';
import { type ImageFacts, readImageFacts } from './image-facts.ts';
import { ImageProblem } from './image-problem.ts';

/** Bounds of the images of a request. */
export interface ImageBounds {
  readonly maxImageBytes: number;
  readonly imageTimeoutMs: number;
}

const MEDIA_TYPES = new Set(['image/png', 'image/jpeg', 'image/jpg', 'image/webp', 'image/gif']);

/**
 * The facts of an image of a request: of a data URL, or fetched over http from a loopback address. Any other host is
 * never contacted and fails as a download does.
 */
export async function loadImage(url: string, param: string, bounds: ImageBounds): Promise<ImageFacts> {
  const bytes = url.startsWith('data:') ? decodeDataUrl(url, param, bounds) : await download(url, param, bounds);
  try {
    return readImageFacts(bytes);
  } catch (error) {
    if (error instanceof ImageProblem) throw rejected(error.code, param);
    throw error;
  }
}

const rejected = (code: ApiErrorCode, param: string | null, message?: string): ApiError =>
  invalidRequest(message ?? ERROR_TABLE[code].message, param, code);

function decodeDataUrl(url: string, param: string, { maxImageBytes }: ImageBounds): Buffer {
  const comma = url.indexOf(',');
  const head = url.slice('data:'.length, Math.max(0, comma)).toLowerCase();
  const [mediaType = '', ...attributes] = head.split(';');
  if (comma < 0 || !attributes.includes('base64')) throw rejected('invalid_base64_image', param);
  if (!MEDIA_TYPES.has(mediaType)) throw rejected('unsupported_image_media_type', param);
  const base64 = url.slice(comma + 1);
  if (lengthOfBase64(base64) > maxImageBytes) throw rejected('image_file_too_large', param);
  const bytes = Buffer.from(base64, 'base64');
  // Buffer skips anything that is not base64, so that bytes are then missing.
  if (bytes.length !== lengthOfBase64(base64)) throw rejected('invalid_base64_image', param);
  return bytes;
}

function lengthOfBase64(base64: string): number {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
  return Math.floor(((base64.length - padding) * 3) / 4);
}

const isLoopback = (hostname: string) =>
  hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);

async function download(text: string, param: string, bounds: ImageBounds): Promise<Buffer> {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw rejected(
      'invalid_image_url',
      param,
      `Invalid image URL: '${text.slice(0, 100)}'. Expected an http(s) URL or a base64-encoded data URL with an image MIME type.`,
    );
  }
  if (url.protocol === 'https:' || !isLoopback(url.hostname)) {
    throw rejected('failed_to_download_image', param, `Failed to download image from ${text}.`);
  }
  return fetchBytes(url, param, bounds);
}

function fetchBytes(url: URL, param: string, { maxImageBytes, imageTimeoutMs }: ImageBounds): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const failed = () => {
      reject(rejected('failed_to_download_image', param, `Failed to download image from ${url.href}.`));
      request.destroy();
    };
    const request = get(url, { agent: false }, (response: IncomingMessage) => {
      if (response.statusCode !== 200) {
        failed();
        return;
      }
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size <= maxImageBytes) return;
        reject(rejected('image_file_too_large', param));
        request.destroy();
      });
      response.on('end', () => resolve(Buffer.concat(chunks)));
      response.on('error', failed);
    });
    const timer = systemClock.setTimeout(() => {
      reject(rejected('invalid_value', 'url', `Timeout while downloading ${url.href}.`));
      request.destroy();
    }, imageTimeoutMs);
    request.on('close', () => systemClock.clearTimeout(timer));
    request.on('error', failed);
  });
}

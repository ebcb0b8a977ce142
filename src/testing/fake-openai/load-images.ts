import { invalidRequest } from './api-error.ts';
import { type ImageBounds, loadImage } from './image-source.ts';
import type { PromptPart, SeenImage, VisionRequest } from './vision-request.ts';

/** Bounds of the images of one request. */
export interface RequestImageBounds extends ImageBounds {
  readonly maxImages: number;
}

/** Looks at every image of a request, in the order sent, each with the text that stands right before it. */
export async function loadImages(
  { endpoint, parts }: VisionRequest,
  bounds: RequestImageBounds,
): Promise<readonly SeenImage[]> {
  const count = parts.filter(({ type }) => type === 'image').length;
  if (count > bounds.maxImages) {
    throw invalidRequest(
      `Too many images in request. Expected at most ${bounds.maxImages}, but got ${count}.`,
      endpoint === 'chat' ? 'messages' : 'input',
      'invalid_value',
    );
  }
  const pending = parts.map((part, at) => lookAt(part, parts[at - 1], bounds));
  return (await Promise.all(pending)).filter((image) => image !== undefined);
}

async function lookAt(
  part: PromptPart,
  before: PromptPart | undefined,
  bounds: ImageBounds,
): Promise<SeenImage | undefined> {
  if (part.type !== 'image') return undefined;
  const facts = await loadImage(part.url, part.param, bounds);
  return { facts, detail: part.detail, label: before?.type === 'text' ? before.text : '' };
}

import { invalidRequest } from './api-error.ts';
import { type ImageBounds, loadImage } from './image-source.ts';
import type { PromptPart, SeenImage, VisionRequest } from './vision-request.ts';

/** How the images of one request are read. */
export interface LookOptions extends ImageBounds {
  readonly maxImages: number;
  /** Descriptions that replace an image's facts, by its hash. */
  readonly descriptions: Readonly<Record<string, string>>;
}

/** Reads every image of a request, in the order sent, each with the text right before it. */
export async function loadImages(
  { endpoint, parts }: VisionRequest,
  options: LookOptions,
): Promise<readonly SeenImage[]> {
  const count = parts.filter(({ type }) => type === 'image').length;
  if (count > options.maxImages) {
    throw invalidRequest(
      `Too many images in request. Expected at most ${options.maxImages}, but got ${count}.`,
      endpoint === 'chat' ? 'messages' : 'input',
      'invalid_value',
    );
  }
  const pending = parts.map((part, at) => lookAt(part, parts[at - 1], options));
  return (await Promise.all(pending)).filter((image) => image !== undefined);
}

async function lookAt(
  part: PromptPart,
  before: PromptPart | undefined,
  options: LookOptions,
): Promise<SeenImage | undefined> {
  if (part.type !== 'image') return undefined;
  const facts = await loadImage(part.url, part.param, options);
  const { descriptions } = options;
  const text = Object.hasOwn(descriptions, facts.hash) ? descriptions[facts.hash] : undefined;
  return {
    facts: text === undefined ? facts : { ...facts, text },
    detail: part.detail,
    label: before?.type === 'text' ? before.text : '',
  };
}

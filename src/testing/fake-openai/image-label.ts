/**
 * Reads the id that a prompt gives to an image in the text right before it. It is the word after "id", else after
 * "image", else the last word. `undefined` when there is no text.
 */
export function readImageLabel(text: string): string | undefined {
  const marked =
    text.match(/\bid\b["'`]?\s*[:=]?\s*["'`<[(#]*([A-Za-z0-9][\w-]*)/i) ??
    text.match(/\bimage\b["'`]?\s*[:=]?\s*["'`<[(#]*([A-Za-z0-9][\w-]*)/i);
  return marked?.[1] ?? text.match(/([A-Za-z0-9][\w-]*)\W*$/)?.[1];
}

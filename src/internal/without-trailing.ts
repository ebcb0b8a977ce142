/**
 * Removes a character from the end of a text, in linear time. A pattern such as `/\/+$/` starts again at each slash,
 * which is quadratic for many slashes.
 */
export function withoutTrailing(text: string, character: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === character) end -= 1;
  return text.slice(0, end);
}

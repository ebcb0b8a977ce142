/**
 * The text without this character at its end. A pattern such as `/\/+$/` begins anew at each slash: quadratic where
 * many stand.
 */
export function withoutTrailing(text: string, character: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === character) end -= 1;
  return text.slice(0, end);
}

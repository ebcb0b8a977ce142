/** The object that a text holds as JSON; undefined for other text and for `null`. */
export function jsonOf(text: string): object | undefined {
  try {
    return JSON.parse(text) ?? undefined;
  } catch {
    return undefined;
  }
}

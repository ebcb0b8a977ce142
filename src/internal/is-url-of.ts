/** Tells whether a text is a URL of one of these protocols (`http:`), with credentials that can be decoded. */
export function isUrlOf(text: string, protocols: readonly string[]): boolean {
  try {
    const { protocol, username, password } = new URL(text);
    decodeURIComponent(`${username}:${password}`);
    return protocols.includes(protocol);
  } catch {
    return false;
  }
}

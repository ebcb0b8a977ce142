/** UTF-8 without its byte order mark, as the web's `text()` does. */
export function textOfBytes(bytes: Buffer): string {
  const marked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  return bytes.toString('utf8', marked ? 3 : 0);
}

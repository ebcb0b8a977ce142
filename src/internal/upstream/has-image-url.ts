/** Whether an image stands in the messages of a chat request as its address, which the server has to load itself. */
export function hasImageUrl(messages: readonly unknown[]): boolean {
  return messages.some((message) => {
    const { content } = (message ?? {}) as { readonly content?: unknown };
    return Array.isArray(content) && content.some((part) => isAddress(part?.image_url?.url));
  });
}

/** An http address; a data URL holds the image, and what is no text is encoded later. */
export const isAddress = (url: unknown): boolean =>
  url instanceof URL ? isAddress(url.href) : typeof url === 'string' && /^https?:/i.test(url);

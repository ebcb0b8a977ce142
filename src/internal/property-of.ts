/** A property of a foreign value, which may be a proxy or have a getter that throws: then there is none. */
export function propertyOf(value: unknown, name: string | symbol): unknown {
  try {
    return (value as Readonly<Record<string | symbol, unknown>> | null | undefined)?.[name];
  } catch {
    return undefined;
  }
}

/** Reads a property of a foreign value. Undefined where its proxy or getter throws. */
export function propertyOf(value: unknown, name: string | symbol): unknown {
  try {
    return (value as Readonly<Record<string | symbol, unknown>> | null | undefined)?.[name];
  } catch {
    return undefined;
  }
}

/** The entries of an object that are not undefined, so that spreading it over others never hides theirs. */
export const definedOf = <Value extends object>(value: Value | undefined): Partial<Value> =>
  Object.fromEntries(
    Object.entries(value ?? {}).filter(([, entry]) => entry !== undefined),
  ) as Partial<Value>;

/** The entries of an object that are not undefined, so that spreading it over others never hides theirs. */
export const definedOf = <Value extends object>(
  value: Value | undefined,
): { [Name in keyof Value]?: Exclude<Value[Name], undefined> } =>
  Object.fromEntries(Object.entries(value ?? {}).filter(([, entry]) => entry !== undefined)) as {
    [Name in keyof Value]?: Exclude<Value[Name], undefined>;
  };

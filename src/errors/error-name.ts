/**
 * Gives a class of errors its `name`, as text: a minifier renames the class itself. The name stands on the prototype,
 * so that a stack trace shows it and no instance carries the field.
 */
export function setErrorName({ prototype }: { readonly prototype: Error }, name: string): void {
  Object.defineProperty(prototype, 'name', { value: name, writable: true, configurable: true });
}

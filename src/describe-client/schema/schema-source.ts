/** Asks for JSON of that schema in place of text. */
export interface DescribeSchema<Data = unknown> {
  /** Name of the schema for the API: letters, digits, `_` and `-`, at most 64. */
  readonly name: string;
  /**
   * JSON Schema of the answer, within what the API's structured outputs support. An optional field is sent as one that
   * may be null, and is absent again in `data`. An object without `additionalProperties` is sent with `false`.
   */
  readonly jsonSchema: Readonly<Record<string, unknown>>;
  /**
   * Turns the parsed JSON into your type, synchronously, or throws where it does not match: then another answer is
   * requested. The last error is the `cause` of the failure. A `TypeError`, `ReferenceError` or `RangeError` is a
   * mistake in its code: nothing is requested again.
   */
  readonly parse?: ((value: unknown) => Data) | undefined;
}

/**
 * A schema of a validation library that gives its JSON Schema: a Standard Schema with Standard JSON Schema, such as one
 * of zod from 4.2 on, of arktype, or of valibot by `toStandardJsonSchema`. Its title names it for the API. Its
 * validator must be synchronous, and is called once without a value to see that. The shape is that of
 * https://standardschema.dev.
 */
export interface StandardSchema<Data = unknown> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate?: ((value: unknown) => StandardResult<Data> | Promise<StandardResult<Data>>) | undefined;
    readonly types?: { readonly input: unknown; readonly output: Data } | undefined;
    readonly jsonSchema?:
      | { readonly input: (options: { readonly target: 'draft-2020-12' | 'draft-07' }) => Record<string, unknown> }
      | undefined;
  };
}

type StandardResult<Data> =
  | { readonly value: Data; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The result of `zodResponseFormat` or `zodTextFormat` of the package `openai`. */
export interface OpenAIFormat<Data = unknown> {
  readonly type: 'json_schema';
  $parseRaw(content: string): Data;
}

/** Every form in which a schema may be given. */
export type SchemaSource<Data = unknown> = DescribeSchema<Data> | StandardSchema<Data> | OpenAIFormat<Data>;

/** One way to the API: a key at a base URL, or whatever else `target` stands for. */
export interface RouterEndpoint<Target> {
  /** Names it in statistics and errors; unique, and never a key. */
  readonly name: string;
  /** What an attempt needs to use it; the router only hands it on. */
  readonly target: Target;
  /** Its share beside the others while all have room; above 0. @defaultValue 1 */
  readonly weight?: number | undefined;
  /**
   * Whose limits its calls are counted against. Endpoints that name none and learn from an answer that they belong to
   * the same organisation share the group of the first of them. @defaultValue the name
   */
  readonly quotaGroup?: string | undefined;
  /** Sent in place of the model that the call names, such as the name of a deployment. */
  readonly model?: string | undefined;
  /**
   * Most calls in flight at it, of all models, at least 1; the adaptive limit of each model stays within.
   * @defaultValue 256
   */
  readonly maxConcurrency?: number | undefined;
  /**
   * Calls in flight of one model from which the adaptive limit starts, at least 1; at most `maxConcurrency`.
   * @defaultValue 10, and 4 until the first answer
   */
  readonly initialConcurrency?: number | undefined;
}

/**
 * The family of models that share their limits. A dated snapshot belongs to the name without the date, a fine-tuned
 * model to the model that it was made from. Source: OpenAI, "Rate limits" guide, shared limits; "Fine-tuning" guide.
 */
export function modelFamilyOf(model: string): string {
  const base = /^ft:([^:]+):/.exec(model)?.[1] ?? model;
  return base.replace(/-\d{4}-\d{2}-\d{2}$/, '');
}

/**
 * The family of models that share their limits: a dated snapshot and the name without the date are one, and fine-tuned
 * models share with what they were made from. Source: OpenAI, "Rate limits" guide, shared limits; "Fine-tuning" guide.
 */
export function modelFamilyOf(model: string): string {
  const base = /^ft:([^:]+):/.exec(model)?.[1] ?? model;
  return base.replace(/-\d{4}-\d{2}-\d{2}$/, '');
}

/** A word in the form that a number asks for: `few` and `many` are Polish; what is left out is `other`. */
export type Forms = { one: string; other: string; few?: string; many?: string };

export function plural(lang: string, count: number, forms: Forms): string {
  const rule = new Intl.PluralRules(lang).select(count);
  return forms[rule as keyof Forms] ?? forms.other;
}

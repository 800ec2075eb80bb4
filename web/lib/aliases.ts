import type { ModelRecord, Schemas } from "./api/types";

type Alias = Schemas["AliasRecord"];

/** The aliases that stand for no model of the list by its reference: they are shown with none of them. */
export function strays(aliases: readonly Alias[], models: readonly Pick<ModelRecord, "reference">[]): Alias[] {
  return aliases.filter(({ target }) => models.every(({ reference }) => reference !== target));
}

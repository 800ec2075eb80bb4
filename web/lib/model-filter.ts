import type { ModelRecord } from "./api/types";

export type ModelSort = "name" | "size" | "context" | "provider";
/** What a list of models is narrowed to; "" leaves it open. */
export interface ModelFilter {
  text: string;
  provider: string;
  capability: string;
  /** `remote`: what is answered elsewhere. */
  place: "" | "loaded" | "local" | "remote";
}

export const ALL: ModelFilter = { text: "", provider: "", capability: "", place: "" };

export const isFiltered = (filter: ModelFilter): boolean => Object.values(filter).some((value) => value !== "");

export function filterModels(models: readonly ModelRecord[], filter: ModelFilter): ModelRecord[] {
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  return models.filter((model) => {
    const about = [model.reference, model.title, model.quantization, model.license].join(" ").toLowerCase();
    if (!words.every((word) => about.includes(word))) return false;
    if (filter.provider && model.provider !== filter.provider) return false;
    if (filter.capability && !model.capabilities?.includes(filter.capability)) return false;
    if (filter.place === "loaded") return model.loaded === true;
    return !filter.place || model.locality === filter.place;
  });
}

/** The largest first; what is not known comes last. */
const falling = (a: number | null, b: number | null) => (b ?? -1) - (a ?? -1);

export function sortModels(models: readonly ModelRecord[], sort: ModelSort, lang: string): ModelRecord[] {
  const { compare } = new Intl.Collator(lang, { numeric: true });
  const byName = (a: ModelRecord, b: ModelRecord) => compare(a.id, b.id);
  return models.toSorted((a, b) => {
    if (sort === "size") return falling(a.size_bytes, b.size_bytes) || byName(a, b);
    if (sort === "context") return falling(a.context_length, b.context_length) || byName(a, b);
    if (sort === "provider") return compare(a.provider, b.provider) || byName(a, b);
    return byName(a, b);
  });
}

/** Every word that some model has, each once. */
export const providersOf = (models: readonly ModelRecord[]) => [...new Set(models.map((model) => model.provider))].sort();
export const capabilitiesOf = (models: readonly ModelRecord[]) => [...new Set(models.flatMap((model) => model.capabilities ?? []))].sort();

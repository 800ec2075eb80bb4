import type { Schemas } from "@/lib/api/types";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/getting";

/** What a source tells, in words. */
export function useEntryFacts(entry: Schemas["EntryView"]): string[] {
  const { t, lang, format } = useArea(texts);
  const facts = [
    entry.size_bytes !== null && format.bytes(entry.size_bytes),
    entry.license ?? t.license_unknown,
    entry.downloads !== null && t.downloads(entry.downloads, format.count(entry.downloads)),
    entry.likes !== null && t.likes(entry.likes, format.count(entry.likes)),
    entry.updated_at !== null && t.updated(new Intl.DateTimeFormat(lang, { dateStyle: "medium" }).format(new Date(entry.updated_at))),
    entry.installed && t.installed,
  ];
  return facts.filter((fact) => fact !== false);
}

"use client";

import { useState } from "react";
import { catalogue, titleOf } from "@/lib/catalogue";
import type { Schemas } from "@/lib/api/types";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/getting";
import { useStore } from "@/lib/store";
import { EntryDetails } from "./entry-details";
import { useEntryFacts } from "./entry-facts";

/** A model of a source's catalogue, as the source tells of it. */
export function EntryCard({ entry }: { entry: Schemas["EntryView"] }) {
  const { t } = useArea(texts);
  const stock = useStore(catalogue);
  const [open, setOpen] = useState(false);
  const facts = useEntryFacts(entry);
  return (
    <article aria-label={entry.display_name} className="card flex h-full flex-col gap-2 px-4 py-3.5">
      <div className="flex items-start justify-between gap-3">
        <div className="min-w-0 space-y-0.5">
          <h3 className="font-medium [overflow-wrap:anywhere]">{entry.display_name}</h3>
          <p className="text-sm [overflow-wrap:anywhere] text-soft">{titleOf(stock, entry.provider)} · {entry.model_name}</p>
        </div>
        <button type="button" className="button shrink-0" aria-haspopup="dialog" aria-label={t.look_at(entry.display_name)} onClick={() => setOpen(true)}>{t.look}</button>
      </div>
      <p className="text-sm leading-relaxed text-soft">{facts.join(" · ")}</p>
      {entry.gated && <p className="text-sm text-warn">{t.gated}</p>}
      {entry.tags.length > 0 && (
        <ul className="flex flex-wrap gap-1.5">
          {entry.tags.slice(0, 5).map((tag) => <li key={tag} className="rounded-md bg-sunken px-2 py-0.5 text-xs text-soft [overflow-wrap:anywhere]">{tag}</li>)}
        </ul>
      )}
      {open && <EntryDetails entry={entry} onClose={() => setOpen(false)} />}
    </article>
  );
}

"use client";

import { useState, type FormEvent } from "react";
import type { OverviewProvider, paths } from "@/lib/api/types";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/getting";
import { Choice } from "../ui/choice";
import { SearchIcon } from "../ui/icons";

export type Words = NonNullable<paths["/api/v1/models/search"]["get"]["parameters"]["query"]>;
export const NO_WORDS: Words = { query: "" };

interface Props {
  sources: OverviewProvider[];
  onSearch: (words: Words) => void;
}

/** The words and the filters of a search. An emptied field ends it. */
export function CatalogueSearch({ sources, onSearch }: Props) {
  const { t } = useArea(texts);
  const [words, setWords] = useState<Words>({ ...NO_WORDS, provider: sources[0]?.name });
  const change = (part: Partial<Words>) => {
    const next = { ...words, ...part };
    setWords(next);
    // What is searched for already is narrowed at once.
    if (part.query === "") onSearch(NO_WORDS);
    else if (part.query === undefined && words.query.length > 1) onSearch(next);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (words.query.trim().length > 1) onSearch({ ...words, query: words.query.trim() });
  };
  const open = ["", t.any] as const;
  return (
    <form role="search" className="space-y-3" onSubmit={submit}>
      <div className="flex gap-2">
        <input type="search" className="field" placeholder={t.search} aria-label={t.search} value={words.query} minLength={2} maxLength={200} onChange={(event) => change({ query: event.target.value })} />
        <button type="submit" className="button-accent shrink-0" aria-label={t.search}><SearchIcon /></button>
      </div>
      <details>
        <summary className="w-fit text-sm text-soft">{t.narrow}</summary>
        <div className="grid grid-cols-2 gap-3 pt-3 sm:grid-cols-3 lg:grid-cols-6">
          <Choice label={t.source} value={words.provider ?? ""} options={sources.map(({ name, title }) => [name, title] as const)} onChoose={(provider) => change({ provider })} />
          <Choice label={t.format} value={words.format ?? ""} options={[open, ["gguf", "GGUF"], ["safetensors", "safetensors"]]} onChoose={(format) => change({ format: (format || undefined) as Words["format"] })} />
          <Choice
            label={t.task} value={words.task ?? ""} onChoose={(task) => change({ task: task || undefined })}
            options={[open, ["text-generation", t.task_chat], ["image-text-to-text", t.task_vision], ["feature-extraction", t.task_embedding], ["translation", t.task_translation]]}
          />
          <Choice
            label={t.license} value={words.license ?? ""} onChoose={(license) => change({ license: license || undefined })}
            options={[open, ...["apache-2.0", "mit", "gemma", "llama3.2", "cc-by-4.0"].map((name) => [name, name] as const)]}
          />
          <Choice
            label={t.sort} value={words.sort ?? ""} onChoose={(sort) => change({ sort: (sort || undefined) as Words["sort"] })}
            options={[["", t.sort_none], ["trending", t.sort_trending], ["downloads", t.sort_downloads], ["likes", t.sort_likes], ["updated", t.sort_updated]]}
          />
          <label className="block min-w-0 space-y-1 text-xs text-soft">
            <span className="block">{t.author}</span>
            <input className="field" value={words.author ?? ""} maxLength={100} onChange={(event) => setWords({ ...words, author: event.target.value || undefined })} />
          </label>
        </div>
      </details>
    </form>
  );
}

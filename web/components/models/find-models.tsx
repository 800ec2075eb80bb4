"use client";

import { useState } from "react";
import { catalogue } from "@/lib/catalogue";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/getting";
import { useStore } from "@/lib/store";
import { CatalogueSearch, NO_WORDS } from "./catalogue-search";
import { GetByName } from "./get-by-name";
import { ModelNews } from "./model-news";
import { SearchResults } from "./search-results";
import { Suggestions } from "./suggestions";
import { Trending } from "./trending";

/** What could be had: searched for, suggested, in demand, or by its name. */
export function FindModels() {
  const { t } = useArea(texts);
  const { overview } = useStore(catalogue);
  const [words, setWords] = useState(NO_WORDS);
  const sources = overview?.providers.filter(({ capabilities }) => capabilities.includes("search")) ?? [];
  return (
    <div className="space-y-8">
      {overview && sources.length === 0 && <p className="text-sm text-soft">{t.no_source}</p>}
      {sources.length > 0 && <CatalogueSearch sources={sources} onSearch={setWords} />}
      {words.query ? (
        <SearchResults key={JSON.stringify(words)} words={words} />
      ) : (
        <>
          {overview && (
            <section className="space-y-3">
              <h2 className="font-semibold">{t.suggested}</h2>
              {overview.suggestions.length === 0 ? <p className="text-sm text-soft">{t.suggested_none}</p> : <Suggestions overview={overview} />}
            </section>
          )}
          <Trending />
          <ModelNews />
        </>
      )}
      <GetByName />
    </div>
  );
}

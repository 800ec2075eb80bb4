"use client";

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { asking } from "@/lib/api/client";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/getting";
import { Answer } from "../ui/answer";
import type { Words } from "./catalogue-search";
import { EntryCard } from "./entry-card";
import { SourceTrouble } from "./source-trouble";

const LIMIT = 10;

/** One page of what a source has under these words. */
export function SearchResults({ words }: { words: Words }) {
  const { t, format } = useArea(texts);
  const [page, setPage] = useState(1);
  const query = useQuery({ ...asking("/api/v1/models/search", { query: { ...words, page, limit: LIMIT } }), placeholderData: keepPreviousData });
  return (
    <Answer query={query}>
      {(answer) => (
        <section className="space-y-3" aria-busy={query.isPlaceholderData}>
          <p role="status" className="text-sm text-soft">
            {answer.total !== null && answer.success && t.found(answer.total, format.count(answer.total))}
            {answer.success && answer.count === 0 && answer.total === null && t.nothing}
          </p>
          <SourceTrouble answer={answer} />
          <ul className="space-y-2.5">
            {answer.models.map((entry) => <li key={entry.reference}><EntryCard entry={entry} /></li>)}
          </ul>
          {(page > 1 || answer.count === LIMIT) && (
            <div className="flex items-center justify-between gap-3 text-sm">
              <button type="button" className="button" disabled={page === 1} onClick={() => setPage(page - 1)}>{t.previous}</button>
              <span className="text-soft">{t.page(format.count(page))}</span>
              <button type="button" className="button" disabled={answer.count < LIMIT || query.isPlaceholderData} onClick={() => setPage(page + 1)}>{t.next}</button>
            </div>
          )}
        </section>
      )}
    </Answer>
  );
}

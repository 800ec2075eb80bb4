"use client";

import { useQuery } from "@tanstack/react-query";
import { asking } from "@/lib/api/client";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/getting";
import { Answer } from "../ui/answer";
import { EntryCard } from "./entry-card";
import { SourceTrouble } from "./source-trouble";

/** What is in demand at the sources that tell. */
export function Trending() {
  const { t } = useArea(texts);
  const query = useQuery(asking("/api/v1/models/trending", { query: { limit: 12 } }));
  return (
    <section className="space-y-3">
      <h2 className="font-semibold">{t.trending}</h2>
      <Answer query={query}>
        {(answer) => (
          <>
            <SourceTrouble answer={answer} />
            {answer.success && answer.count === 0 && <p className="text-sm text-soft">{t.trending_none}</p>}
            <ul className="grid gap-2.5 lg:grid-cols-2">
              {answer.models.map((entry) => <li key={entry.reference}><EntryCard entry={entry} /></li>)}
            </ul>
          </>
        )}
      </Answer>
    </section>
  );
}

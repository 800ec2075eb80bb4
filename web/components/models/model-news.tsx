"use client";

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { asking } from "@/lib/api/client";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/getting";
import { Answer } from "../ui/answer";

/** News and papers about models; asked for when they are opened. */
export function ModelNews() {
  const { t } = useArea(texts);
  return (
    <>
      <Shelf title={t.news} type="blog" />
      <Shelf title={t.papers} type="papers" />
    </>
  );
}

function Shelf({ title, type }: { title: string; type: "blog" | "papers" }) {
  const [open, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="w-fit font-semibold">{title}</summary>
      {open && <div className="pt-3"><Items type={type} /></div>}
    </details>
  );
}

function Items({ type }: { type: "blog" | "papers" }) {
  const { t, lang } = useArea(texts);
  const query = useQuery(asking("/api/v1/models/news", { query: { type, lang, limit: 8 } }));
  const day = new Intl.DateTimeFormat(lang, { dateStyle: "medium" });
  return (
    <Answer query={query}>
      {(answer) => (
        <>
          {answer.error && <p className="pb-3 text-sm text-soft">{answer.error}</p>}
          {answer.success && answer.items.length === 0 && <p className="text-sm text-soft">{t.news_none}</p>}
          <ul className="space-y-3">
            {answer.items.map((item) => (
              <li key={item.url} className="space-y-0.5 text-sm" lang="en">
                <a href={item.url} target="_blank" rel="noreferrer noopener" className="font-medium underline underline-offset-2">{item.title}</a>
                <p className="text-soft">{[item.source, item.published_at && day.format(new Date(item.published_at))].filter(Boolean).join(" · ")}</p>
                <p className="leading-relaxed text-soft">{item.summary}</p>
              </li>
            ))}
          </ul>
        </>
      )}
    </Answer>
  );
}
